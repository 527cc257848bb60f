/** The part of gettext-parser that the build uses. */
declare module "gettext-parser" {
  interface Catalogue {
    charset: string;
    /** Context → identifier → message. */
    translations: Record<string, Record<string, { comments?: { flag?: string } }>>;
  }
  export const po: { parse(source: Uint8Array, options?: { validation?: boolean }): Catalogue };
  export const mo: { compile(catalogue: Catalogue): Uint8Array };
}
