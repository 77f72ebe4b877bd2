// The console: one page over the routes of the server that it came from.
import "./style/app.css";
import { start } from "./frame.js";

start();
