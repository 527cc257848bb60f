/** What the build tells the runtime about the project; emitted as an ES module beside the artefacts. */
export interface Manifest {
  /** Digest of everything that went in; names the build in logs. */
  buildId: string;
  /** The Pyodide release whose memory the image holds. */
  pyodide: string;
  /** Pyodide's own build id; its restore refuses another. */
  pyodideBuildId: string;
  django: {
    settingsModule: string;
    interface: Interface;
    /** Dotted path of the WSGI or ASGI application, `package.module:attribute`. */
    application: string;
    database: Database;
  };
}

export type Interface = "wsgi" | "asgi";
export type Database = "durable-object" | "d1";

/** Where the parts of a project lie in the interpreter's file system. */
export const PROJECT_ROOT = "/app";
export const PACKAGES_ROOT = "/packages";

/** Names that the emitted Wrangler configuration and the runtime share. */
export const DURABLE_OBJECT_BINDING = "DJANGO";
export const DURABLE_OBJECT_CLASS = "Django";
export const D1_BINDING = "DB";
/** The Worker's named entry for management commands: only what the account itself binds to it can call it. */
export const MANAGEMENT_ENTRYPOINT = "Management";
/** The one object that serves a site. */
export const SITE_OBJECT = "site";
/** The object in which `manage test` runs: its storage is wiped. */
export const TEST_OBJECT = "test";
