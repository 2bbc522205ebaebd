import { render } from "preact";
import "./style/tokens.css";
import "./style/base.css";
import "./style/ui.css";
import "./style/shell.css";
import { look } from "./session/server";
import "./shell/theme";
import { App } from "./shell/App";

void look();
render(<App />, document.getElementById("app")!);
