/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 if the server could not be reached. */
    readonly status: number,
    readonly errors: string[],
    readonly warnings: string[] = [],
    /** What was asked for. */
    readonly path = "",
    /** The answer's `data`, where a refusal has one (a deleted version's metadata, for example). */
    readonly data: unknown = undefined,
  ) {
    super(errors.join("; ") || wordsOf(status));
    this.name = "ApiError";
  }

  /** Whether the token may not do that. */
  get isDenied(): boolean {
    return this.status === 403;
  }

  /** Whether nothing is there. */
  get isMissing(): boolean {
    return this.status === 404;
  }

  /** Whether no engine or method is mounted there at all. */
  get isUnmounted(): boolean {
    return this.isMissing && this.errors.some((text) => text.startsWith("no handler for route"));
  }
}

function wordsOf(status: number): string {
  switch (status) {
    case 0:
      return "the server can not be reached";
    case 403:
      return "permission denied";
    case 404:
      return "there is nothing here";
    case 429:
      return "too many requests; wait a moment";
    case 503:
      return "the server is sealed or not ready";
    default:
      return `the server answered with status ${status}`;
  }
}
