/** What the provider said. Worth nothing without the nonce that only the beginning page has in its memory. */
export interface Returned {
  state: string;
  code: string;
  error: string;
}
