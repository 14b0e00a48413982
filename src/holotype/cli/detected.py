"""What came of detecting, in commands: which detector it was, how good it is, and what was left out."""

from __future__ import annotations

from pathlib import Path

from holotype.benchmark import evaluate
from holotype.benchmark.place_tasks import DETECTION
from holotype.benchmark.values import Boxes
from holotype.cli.evaluate import print_result
from holotype.cli.networks import networks_here
from holotype.cli.recognition_data import Data
from holotype.errors import PredictionError, RecognitionError
from holotype.recognition.boxed import folded, of_images
from holotype.recognition.detecting import Detector
from holotype.recognition.detections import Detected, submission
from holotype.recognition.runs import read_run


def detector_of(run: Path, device: str, batch_size: int) -> Detector:
    """The detector in a folder, of whatever kind. Raises `RecognitionError` where there is none."""
    job = read_run(run).value.get("job")
    with networks_here():
        from holotype.recognition.networks.detectors import JOB, read_detector
        from holotype.recognition.networks.region_detector import JOB as RCNN
        from holotype.recognition.networks.region_detector import read_rcnn
    if job == RCNN:
        return read_rcnn(run, device, batch_size)
    if job == JOB:
        return read_detector(run, device)
    raise RecognitionError(f"the run in {run} is no detector, but a {job or 'classifier'}")


def scored(opened: Data, split: str, found: Detected) -> Boxes | None:
    """Print how good detections are, where the images have boxes of their classes: the true boxes, else None."""
    try:
        truth = of_images(folded(opened.boxes(split), found.classes, opened.ontology), found.ids)
    except PredictionError:
        return None
    if not len(truth.image):
        return None
    (result,), _, _ = evaluate(DETECTION, truth, [submission(truth, found)])
    print_result(result)
    return truth
