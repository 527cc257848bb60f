/** The part of gettext-parser that the build uses. */
declare module "gettext-parser" {
  interface Catalogue {
    charset: string;
  }
  export const po: { parse(source: Uint8Array, options?: { validation?: boolean }): Catalogue };
  export const mo: { compile(catalogue: Catalogue): Uint8Array };
}
