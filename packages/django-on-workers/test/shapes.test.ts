/** What an image may show of a value of the environment: its shape, and none of its letters. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oppositeOf, shapeOf } from "../src/build/shapes.ts";

describe("the shape of a value", () => {
  for (const value of ["", "0", "True", "off", "DEBUG", "warning", "django.db.backends.postgresql", "locmemcache://", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "UTC", "de", "en-us", "pt-BR", "true,no"]) {
    test(`of ${value || "nothing"}, which tells nothing, is the value`, () => assert.equal(shapeOf(value), value));
  }

  for (const [value, shape] of [
    ["a word", "{text}"],
    ["secret", "{text}"],
    ["zzz", "{text}"],
    ["de-secret", "{text}"],
    ["x-secret", "{text}"],
    ["djangoproject.com", "{text}"],
    ["Europe", "{text}"],
    ["Europe/Secret", "{text}"],
    ["+01:00", "{text}"],
    ["/etc/passwd", "{text}"],
    ["7", "{number}"],
    ["-12345678901234567890", "-{number}"],
    ["0.25", "0.{number}"],
    ["12.5", "{number}.{number}"],
    ["1.2.3", "{text}"],
    ["12,13", "{number},{number}"],
    ["12, secret", "{text}"],
    ["{number}", "{text}"],
    ["https://example.com", "https://{host}"],
    ["HTTPS://example.com/", "https://{host}/"],
    ["https://key@o12.example.com/45", "https://{text}@{host}/{number}"],
    ["postgres://name:word@example.com:5432/site?sslmode=require&timeout=20", "postgres://{text}:{text}@{host}:{number}/{text}?sslmode={text}&timeout={number}"],
    ["postgres://name:w@rd:2@example.com:5432/site", "postgres://{text}:{text}@{host}:{number}/{text}"],
    ["redis://:word@[::1]:6379/0", "redis://:{text}@{host}:{number}/0"],
    ["redis://name:@example.com:/1#part", "redis://{text}:@{host}/1#{text}"],
    ["sqlite:////srv/db.sqlite3", "sqlite:////{text}/{text}"],
    ["https://example.com?token", "https://{host}?{text}"],
    ["https://example.com?a{b}=1", "https://{host}?{text}"],
    ["https://a.example,https://b.example", "https://{host},https://{host}"],
    ["redis://a:1,b:2", "{text}"],
    ["redis://a:port", "{text}"],
    ["sqlite://:memory:", "{text}"],
    ["mailto:name@example.com", "{text}"],
    ["https://[", "{text}"],
    ["a\nhttps://example.com", "{text}"],
  ] as const) {
    test(`of ${JSON.stringify(value)}`, () => assert.equal(shapeOf(value), shape));
  }

  test("that has no field has an opposite where it is a word", () => {
    assert.deepEqual(["TRUE", "no", "1", "error", "INFO"].map(oppositeOf), ["FALSE", "yes", "0", "debug", "ERROR"]);
    assert.deepEqual(["", "Europe/Berlin", "django.db", "secret"].map(oppositeOf), Array(4).fill(undefined));
  });
});
