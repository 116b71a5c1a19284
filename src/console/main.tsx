/** The start of the console: puts it into the page. */
import { render } from "preact";
import { App } from "./app.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./frame/frame.css";
import "./frame/session.css";
import "./shared/replies/replies.css";

const place = document.getElementById("console");
if (place) render(<App />, place);
