/**
 * What a value of the environment may show of itself while a build imports a project: that it is a number, or a kind of URL.
 *
 * A shape is a text with fields for what stands in the value's place: `{number}` for 8080,
 * `postgres://{text}:{text}@{host}:{number}/{text}` for the URL of a database. So settings that take a number or a URL
 * apart can do so, and none of the value's own letters is in the image. One that has no field is the value itself: a plain
 * yes or no, say, which tells nothing about a secret and often decides what a project imports.
 */

export const TEXT = "{text}";
const HOST = "{host}";
const NUMBER = "{number}";

const OPPOSITES = [["0", "1"], ["false", "true"], ["no", "yes"], ["off", "on"]] as const;
const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;

/** Words that say nothing about a secret, with others that mean something else. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ...OPPOSITES.flatMap(([word, other]) => [[word, other], [other, word]] as const),
  ...LEVELS.map((level) => [level, level === "error" ? "debug" : "error"] as const),
]);

/** Names of Django's own classes: a database's backend, a cache's. */
const DJANGO = /^django(?:\.\w+)+$/;
const NUMERIC = /^([+-]?)(\d+)(\.\d+)?$/;
/** Scheme, user and password, host and port, path, query, fragment. */
const URL_PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?(\[[^\]]*\]|[^/?#:@[\]]*)(:\d*)?((?:\/[^?#]*)?)(\?[^#]*)?(#.*)?$/is;
const PARAMETER = /^([\w.-]+)=(.*)$/s;

const languages = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** Whether `known` takes a value; Intl throws a RangeError for what is not even formed like one. */
function isKnown(known: () => unknown): boolean {
  try {
    return Boolean(known());
  } catch {
    return false;
  }
}

const isLanguage = (value: string): boolean => isKnown(() => languages.of(value));
const isZone = (value: string): boolean => value === "UTC" || (value.includes("/") && isKnown(() => new Intl.DateTimeFormat("en", { timeZone: value })));

/** The shape of a value, see above. */
export function shapeOf(value: string): string {
  if (value === "" || WORDS.has(value.toLowerCase()) || DJANGO.test(value) || isZone(value) || isLanguage(value)) return value;
  const number = NUMERIC.exec(value);
  if (number) {
    const [, sign = "", whole = "", fraction] = number;
    // What is less than one stays so: a rate, a share.
    return `${sign}${fraction && Number(whole) === 0 ? whole : NUMBER}${fraction ? `.${NUMBER}` : ""}`;
  }
  if (value.includes(",")) {
    const shapes = value.split(",").map((each) => shapeOf(each.trim()));
    return shapes.includes(TEXT) ? TEXT : shapes.join(",");
  }
  const url = URL_PARTS.exec(value);
  return url ? shapeOfUrl(url) : TEXT;
}

function shapeOfUrl([, scheme = "", user, host, port = "", path = "", query, fragment]: RegExpExecArray): string {
  const [name, ...password] = user?.split(":") ?? [];
  return [
    `${scheme.toLowerCase()}://`,
    name && TEXT,
    password.length > 0 && `:${password.join(":") && TEXT}`,
    user !== undefined && "@",
    host && HOST,
    port.length > 1 && `:${NUMBER}`,
    path.split("/").map(shapeOf).join("/"),
    query && `?${query.slice(1).split("&").map(shapeOfParameter).join("&")}`,
    fragment && `#${TEXT}`,
  ]
    .filter(Boolean)
    .join("");
}

function shapeOfParameter(text: string): string {
  const [, name, value] = PARAMETER.exec(text) ?? [];
  return name === undefined || value === undefined ? TEXT : `${name}=${shapeOf(value)}`;
}

/** Another word than one that says nothing about a secret. */
export function oppositeOf(value: string): string | undefined {
  const other = WORDS.get(value.toLowerCase());
  return value === value.toUpperCase() ? other?.toUpperCase() : other;
}
