/** How a build tells what it is doing; the command line draws it, a library user may ignore it. */
export interface Progress {
  /** A step begins. */
  step(text: string): void;
  /** Something that the user should know and that does not stop the build. */
  warn(text: string): void;
}

export const silent: Progress = { step() {}, warn() {} };
