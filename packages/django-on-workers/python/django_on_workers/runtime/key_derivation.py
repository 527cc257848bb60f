"""What Pyodide's ``hashlib`` lacks for want of OpenSSL, and Django hashes passwords with."""

import hashlib
import hmac

__all__ = ["pbkdf2_hmac", "scrypt"]


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation, PKCS#5 v2.0, as :func:`hashlib.pbkdf2_hmac` of other platforms."""
    password, salt = bytes(password), bytes(salt)
    size = hashlib.new(hash_name).digest_size
    length = size if dklen is None else dklen
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if length < 1:
        raise ValueError("key length must be greater than 0.")
    name = hash_name.lower().replace("-", "")
    if name in ("sha1", "sha256"):
        from pyodide.ffi import to_js

        from django_on_workers._host import host

        return host.pbkdf2(name, to_js(password), to_js(salt), iterations, length).to_bytes()
    keyed = hmac.new(password, digestmod=hash_name)
    derived = b""
    for number in range(1, -(-length // size) + 1):
        digest = _digest(keyed, salt + number.to_bytes(4, "big"))
        total = int.from_bytes(digest, "big")
        for _ in range(iterations - 1):
            digest = _digest(keyed, digest)
            total ^= int.from_bytes(digest, "big")
        derived += total.to_bytes(size, "big")
    return derived[:length]


def scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64):
    """Password based key derivation (RFC 7914), as :func:`hashlib.scrypt` of other platforms."""
    from pyodide.ffi import JsException, to_js

    from django_on_workers._host import host

    password, salt = to_js(bytes(password)), to_js(bytes(salt))
    try:
        return host.scrypt(password, salt, n, r, p, maxmem, dklen).to_bytes()
    except JsException as error:
        raise ValueError(error.message) from None


def _digest(keyed, message):
    mac = keyed.copy()
    mac.update(message)
    return mac.digest()
