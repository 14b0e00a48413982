// On every page of a worker: what waits on this device is handed in.

import { restore } from "./grid/kept.js";
import { Outbox, unsentIn } from "./grid/outbox.js";

const unsent = document.getElementById("unsent");
await restore();
if (unsent?.dataset.worker) new Outbox(unsent.dataset.worker, unsentIn(unsent)).soon();
