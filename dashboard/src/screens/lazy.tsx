import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { returns, unreachable } from "../session/server";
import { Loading } from "../ui/Loading";
import { Trouble } from "../ui/Trouble";
import type { ScreenProps } from "./types";

type Screen = ComponentType<ScreenProps>;

const loaders: (() => Promise<unknown>)[] = [];

/** A screen whose code is loaded when it is first shown: `lazy(() => import("./secrets/Browse"))`, its default export. */
export function lazy(load: () => Promise<{ default: Screen }>): Screen {
  let loaded: Screen | undefined;
  const get = async () => {
    loaded ??= (await load()).default;
    return loaded;
  };
  loaders.push(get);
  return function Lazy(props: ScreenProps): JSX.Element {
    const [Screen, setScreen] = useState<Screen | undefined>(() => loaded);
    const [failed, setFailed] = useState(false);
    const [round, setRound] = useState(0);
    useEffect(() => {
      if (Screen) return;
      setFailed(false);
      get().then(
        (screen) => setScreen(() => screen),
        () => setFailed(true),
      );
    }, [round, returns.value]);
    if (failed) return <Trouble error={new Error(WHY[unreachable.value === null ? "other" : "away"])} what="this screen" onRetry={() => setRound(round + 1)} />;
    return Screen ? <Screen {...props} /> : <Loading />;
  };
}

/** Loads the code of every screen, one after the other, while nothing else is to be done: from then on each opens at once, whatever becomes of the server. */
export async function loadAll(): Promise<void> {
  for (const load of loaders) {
    await new Promise<void>((resolve) => (typeof requestIdleCallback === "function" ? requestIdleCallback(() => resolve(), { timeout: 2_000 }) : setTimeout(resolve, 50)));
    await load().catch(() => {});
  }
}

const WHY = {
  away: "The server can not be reached. Look whether it runs and whether this machine reaches it.",
  other: "Its code could not be loaded; the server may have been updated. Try again, or load the page anew (you will have to sign in again).",
};
