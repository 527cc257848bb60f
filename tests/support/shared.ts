/** Builds a project, so that files of tests that run side by side find what all projects share, instead of each making it. */
import { buildBehaviour } from "./behaviour.ts";

await buildBehaviour("durable-object", "wsgi");
