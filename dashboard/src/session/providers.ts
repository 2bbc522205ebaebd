/** The channel on which the page that an identity provider sends people back to speaks to the page that began. */
export const CHANNEL = "coffer-sign-in";

/** What the provider said. Worth nothing without the nonce that only the beginning page has in its memory. */
export interface Returned {
  state: string;
  code: string;
  error: string;
}
