// On every page of a worker: what waits on this device is handed in.

import { Outbox, unsentIn } from "./grid/outbox.js";

const unsent = document.getElementById("unsent");
if (unsent?.dataset.worker) new Outbox(unsent.dataset.worker, unsentIn(unsent)).soon();
