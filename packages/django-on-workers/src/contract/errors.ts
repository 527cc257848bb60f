/**
 * The errors that a user can meet, by code. A code is stable; the sentence behind it may change.
 *
 * `UserError` is for what the user can mend: it says what is wrong and what to do. Anything else that is thrown is a
 * defect of ours and keeps its stack.
 */
export type UserErrorCode =
  | "DOW_NO_PYTHON"
  | "DOW_NO_MANAGE_PY"
  | "DOW_NO_SETTINGS"
  | "DOW_NO_REQUIREMENTS"
  | "DOW_REQUIREMENT_HAS_NO_WHEEL"
  | "DOW_DJANGO_UNSUPPORTED"
  | "DOW_INDEX_UNREACHABLE"
  | "DOW_INSTALL_FAILED"
  | "DOW_SETTINGS_FAILED"
  | "DOW_PROJECT_FAILED"
  | "DOW_COLLECTSTATIC_FAILED"
  | "DOW_CATALOGUE_INVALID"
  | "DOW_CONFIG_INVALID"
  | "DOW_PORT_TAKEN"
  | "DOW_TOO_LARGE"
  | "DOW_FILE_SYSTEM"
  | "DOW_COMMAND_ENDED"
  | "DOW_REMOTE"
  | "DOW_USAGE";

export class UserError extends Error {
  readonly code: UserErrorCode;
  /** More than a line: a Python traceback, an installer's output. Printed under the sentence. */
  readonly detail: string | undefined;

  constructor(code: UserErrorCode, message: string, detail?: string) {
    super(message);
    this.name = "UserError";
    this.code = code;
    this.detail = detail;
  }
}
