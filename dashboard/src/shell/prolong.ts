import { renew, session } from "../session";
import { toast } from "../ui";
import { duration } from "../ui/duration";

/** Renews the session's token, and says what came of it: one at the end of all its life gains nothing, or less than it asked for. */
export async function prolong(): Promise<void> {
  const { isCapped } = await renew();
  const left = duration(((session.value?.expires ?? Infinity) - Date.now()) / 1_000);
  if (isCapped) toast(`It lives as long as it may: another ${left}. Save what you want to keep, then sign in again.`, "warn");
  else toast(`The token lives another ${left} now`);
}
