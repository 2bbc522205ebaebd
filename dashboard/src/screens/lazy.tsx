import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Loading } from "../ui/Loading";
import { Trouble } from "../ui/Trouble";
import type { ScreenProps } from "./types";

/** A screen whose code is loaded when it is first shown: `lazy(() => import("./secrets/Browse"))`, its default export. */
export function lazy(load: () => Promise<{ default: ComponentType<ScreenProps> }>): ComponentType<ScreenProps> {
  let loaded: ComponentType<ScreenProps> | undefined;
  return function Lazy(props: ScreenProps): JSX.Element {
    const [Screen, setScreen] = useState<ComponentType<ScreenProps> | undefined>(() => loaded);
    const [error, setError] = useState<unknown>(null);
    useEffect(() => {
      if (Screen) return;
      load().then(
        (module) => {
          loaded = module.default;
          setScreen(() => loaded);
        },
        () => setError(new Error("This part of the page could not be loaded; the server may have been updated. Load the page anew (you will have to sign in again).")),
      );
    }, []);
    if (error) return <Trouble error={error} what="this screen" />;
    return Screen ? <Screen {...props} /> : <Loading />;
  };
}
