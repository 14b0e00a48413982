from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, insert, select

from conftest import encoded, import_image, photo, small_ontology
from holotype.catalog import Catalog, schema
from holotype.catalog import statistics as statistic_rows
from holotype.cli.root import holotype as commands
from holotype.errors import ArchiveError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.statistics import draw_images
from holotype.statistics import objects as boxes
from holotype.statistics.accuracy import Audited, accuracy
from holotype.statistics.diversity import diversity, lossless_png, mean_image, rank
from holotype.statistics.hierarchy import hierarchy
from holotype.statistics.histogram import Bin, median
from holotype.statistics.objects import ClassBoxes, chance_of_localisation, in_image, objects
from holotype.statistics.plots import plots, text_bars
from holotype.statistics.report import render
from holotype.statistics.scale import scale
from holotype.statistics.sizes import sizes
from holotype.statistics.statistics import Statistics

DOG, CAT, ANIMAL = "n02084071", "n02121808", "n00015388"
Floats = np.ndarray[Any, np.dtype[np.float64]]
shares = st.integers(0, 6).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, 8)))
some_boxes = st.lists(st.tuples(shares, shares), min_size=2, max_size=12).map(
    lambda found: np.array([(x[0], y[0], x[1], y[1]) for x, y in found]) / 8
)


# Scale, hierarchy, accuracy, sizes


def test_scale_is_over_synsets_that_have_images() -> None:
    found = scale(np.array([0, 3, 0, 9, 501, 500, 2500]))
    assert (found.synsets, found.images, found.median, found.most) == (5, 3513, 500, 2500)
    assert (found.mean, found.many, found.few) == (702.6, 2 / 5, 2 / 5)
    full = {bar.label: bar.count for bar in found.histogram if bar.count}
    assert full == {"1–9": 2, "500–599": 2, "2,000+": 1}
    assert scale(np.zeros(4, np.int64)).images == 0


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1).filter(lambda rows: any(n for _, n in rows))
)
def test_a_median_with_counts_is_that_of_the_values_written_out(rows: list[tuple[int, int]]) -> None:
    values, counts = zip(*rows, strict=True)
    written = sorted(np.repeat(values, counts))
    assert median(values, counts) == written[(len(written) - 1) // 2]


def test_a_median_of_huge_counts_is_exact() -> None:
    assert median([7, 3, 5, 4], [0, 2**51, 1, 2**51]) == 4
    assert median([7, 3, 5, 4], [0, 2**51 + 1, 1, 2**51]) == 3


def test_hierarchy_by_hand() -> None:
    #      0 -> 1 -> 3, 4    4 is below 1 and below 2
    #      0 -> 2 -> 4, 5
    ontology = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1, 2], 5: [2]})
    images = np.zeros(6, np.int64)
    for number, count in {1: 10, 3: 5, 4: 7}.items():
        images[ontology.rank(f"n{number:08d}")] = count
    found = hierarchy(ontology, images)
    assert [(level.synsets, level.filled, level.images) for level in found.levels] == [
        (1, 0, 0),
        (2, 1, 10),
        (3, 2, 12),
    ]
    assert (found.internal, found.leaves, found.mean_below) == (1, 2, 2.0)
    assert [(one.name, one.synsets, one.filled, one.images) for one in found.subtrees] == [
        ("s4", 1, 1, 7),  # s1 is opened, for its own 10 images are not most of its 22
        ("s3", 1, 1, 5),
    ]


def test_all_animals_are_filled_to_the_full_and_nothing_else(wordnet: Ontology) -> None:
    images = np.zeros(len(wordnet), np.int64)
    for start, stop in wordnet.ranges(ANIMAL):
        images[start:stop] = 2
    found = hierarchy(wordnet, images)
    assert sum(level.synsets for level in found.levels) == len(wordnet) - 7_725  # which are instances alone
    assert found.levels[0].synsets == 1
    assert found.internal + found.leaves == sum(level.filled for level in found.levels) == 3_999
    below = [one for one in found.subtrees if wordnet.is_under(one.wnid, ANIMAL)]
    assert below
    assert {one.density for one in below} == {1}
    assert all(one.density < 1 for one in found.subtrees if one not in below)


def test_subtrees_stop_where_there_is_nothing_to_open(wordnet: Ontology) -> None:
    images = np.zeros(len(wordnet), np.int64)
    images[wordnet.rank(DOG)] = 3
    found = hierarchy(wordnet, images)
    assert [(one.wnid, one.images) for one in found.subtrees] == [(DOG, 3)]
    images[wordnet.rank("n02085374")] = 1
    assert [(one.wnid, one.images) for one in hierarchy(wordnet, images).subtrees] == [(DOG, 4)]
    assert hierarchy(wordnet, images * 0).subtrees == ()


def test_every_synset_counts_alike_in_accuracy() -> None:
    audits = [Audited(DOG, 8, 40, 40, 0.93), Audited(CAT, 8, 5, 10, 0.22), Audited(ANIMAL, 6, 9, 9, 0.7)]
    shallow, deep = accuracy(audits)
    assert (shallow.depth, shallow.precision, shallow.lower) == (6, 1.0, 0.7)
    assert (deep.synsets, deep.audited, deep.precision, deep.lower) == (2, 50, 0.75, 0.22)
    assert accuracy([]) == ()


def test_sizes_by_hand() -> None:
    found = sizes(np.array([500, 375, 100, 64]), np.array([375, 500, 100, 256]), np.array([5, 2, 1, 1]))
    assert (found.images, found.median_width, found.median_height) == (9, 500, 375)
    assert found.mean_width == (5 * 500 + 2 * 375 + 164) / 9
    assert {bar.label: bar.count for bar in found.pixels if bar.count} == {
        "8,000–15,999": 1,
        "16,000–31,999": 1,
        "128,000–255,999": 7,
    }
    assert {bar.label: bar.count for bar in found.aspects if bar.count} == {
        "under 1:2": 1,
        "3:4–1:1": 2,
        "square": 1,
        "1:1–4:3": 5,
    }


# Objects


@given(some_boxes)
def test_the_chance_of_localisation_is_its_formula(found: Floats) -> None:
    def iou(a: Floats, b: Floats) -> float:
        common = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
        return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))

    pairs = [iou(a, b) >= 0.5 for i, a in enumerate(found) for j, b in enumerate(found) if i != j]
    assert chance_of_localisation(found) == pytest.approx(np.mean(pairs))


@given(some_boxes, st.randoms(use_true_random=False))
def test_the_chance_does_not_depend_on_the_order_of_boxes(found: Floats, random: Any) -> None:
    order = list(range(len(found)))
    random.shuffle(order)
    assert chance_of_localisation(found[order]) == chance_of_localisation(found)


def test_identical_boxes_are_always_found_by_chance_and_disjoint_ones_never() -> None:
    column = np.arange(300) / 300
    apart = np.stack([column, np.zeros(300), column + 1 / 300, np.ones(300)], 1)
    assert chance_of_localisation(np.tile(apart[:1], (300, 1))) == 1
    assert chance_of_localisation(apart) == 0
    assert chance_of_localisation(apart[:1]) is None


def test_a_box_that_is_just_half_of_another_overlaps_it_whatever_the_size_of_the_image() -> None:
    for width, height in ((500, 375), (333, 499), (7, 3)):
        whole, half = (0, 0, 1, 0), (0, 0, 0, 0)
        found = in_image(np.array([whole, half]), np.full((2, 2), (width, height)))
        assert chance_of_localisation(found) == 1


def test_many_boxes_are_sampled_by_seed_close_to_the_truth() -> None:
    found = np.repeat([[0, 0, 0.4, 1], [0.6, 0, 1, 1]], boxes.EXACT // 2 + 1, axis=0)
    chance = chance_of_localisation(found, seed=5)
    assert chance is not None
    assert chance == pytest.approx(0.5, abs=0.005)
    assert chance == chance_of_localisation(found, seed=5) != chance_of_localisation(found, seed=6)


def test_boxes_are_cut_to_the_image_and_left_out_where_its_size_is_unknown() -> None:
    corners = np.array([[0, 0, 99, 49], [-5, -5, 49, 500], [0, 0, 9, 9], [200, 0, 300, 9]])
    found = in_image(corners, np.array([[100, 50], [100, 50], [0, 0], [100, 50]]))
    assert found.tolist() == [[0, 0, 1, 1], [0, 0, 0.5, 1]]


def test_objects_are_means_over_classes() -> None:
    whole, half = (0, 0, 9, 9), (0, 0, 4, 9)
    classes = [
        ClassBoxes(DOG, np.array([1, 1, 2]), np.array([whole, half, whole]), np.full((3, 2), 10)),
        ClassBoxes(CAT, np.array([3]), np.array([half]), np.array([[0, 0]])),
    ]
    found = objects(classes, {1: 2, 2: 1})
    assert (found.images, found.boxes, found.measured, found.mean_per_image) == (3, 4, 3, 4 / 3)
    assert found.instances == (3 / 2 + 1) / 2
    assert found.scale == pytest.approx(2.5 / 3)
    assert found.chance == 1
    assert [bar.count for bar in found.per_image[:3]] == [2, 1, 0]
    assert {bar.label: bar.count for bar in found.scales if bar.count} == {"50–60 %": 1, "90–100 %": 2}


# Diversity


def test_the_same_image_again_and_again_takes_more_bytes_than_many_and_blank_ones_the_fewest() -> None:
    same = mean_image([encoded(photo(1))] * 40, 40)
    different = mean_image([encoded(photo(seed)) for seed in range(40)], 40)
    size = [len(lossless_png(pixels)) for pixels in (np.full((32, 32), 128.0), different.pixels, same.pixels)]
    assert size == sorted(set(size))


def test_unsound_images_are_counted_and_others_take_their_place() -> None:
    good = [encoded(photo(seed, 40 + seed, 60)) for seed in range(4)]
    found = mean_image([b"no image", good[0], good[1][:300], *good[1:]], 3)
    assert (found.images, found.rejected) == (3, 2)
    assert found.pixels.shape == (32, 32)
    np.testing.assert_allclose(found.pixels, mean_image(good, 3).pixels)
    assert diversity(DOG, good, 5) is None


def test_a_mean_image_is_upright_grey_and_averaged_over_areas() -> None:
    pixels = np.zeros((64, 128), np.uint8)
    pixels[:, 64:] = 200
    found = mean_image([encoded(Image.fromarray(pixels), "PNG")], 1).pixels
    np.testing.assert_allclose(found, np.repeat([[0.0] * 16 + [200.0] * 16], 32, axis=0))


def test_the_most_diverse_comes_first_and_the_short_are_counted() -> None:
    found = [diversity(DOG, [encoded(photo(1))], 1), None, diversity(CAT, [encoded(photo(2, 8, 8).resize((1, 1)))], 1)]
    ranking = rank(found, 1)
    assert [one.wnid for one in ranking.synsets] == [CAT, DOG]
    assert ranking.short == 1


# The statistics of a project


def import_images(
    catalog: Catalog,
    rows: Sequence[Mapping[str, Any]],
    found: Sequence[tuple[Any, ...]] = (),
    folder: Path = Path("/d"),
) -> None:
    """Imported images of a folder, with ids from 1, and boxes ``(image, wnid, corners)``."""
    names = "image_id", "wnid", "x_min", "y_min", "x_max", "y_max"
    with catalog.write() as connection:
        connection.execute(insert(schema.dataset).values(id=1, name="d"))
        about = {"kind": "tree", "path": str(folder), "size": 1, "mtime_ns": 1, "at": 0.0}
        connection.execute(insert(schema.file).values(id=1001, dataset_id=1, **about))
        before = connection.execute(select(func.coalesce(func.max(schema.image.c.id), 0))).scalar_one()
        for number, row in enumerate(rows, 1):
            import_image(
                connection,
                before + number,
                1,
                **{"name": f"{number:08d}", "path": str(number), "length": 7} | dict(row),
            )
        if found:
            lines = [dict(zip(names, row, strict=True), file_id=1001) for row in found]
            connection.execute(insert(schema.box), lines)


def read_size(image: int, width: int, height: int, reason: str = "") -> dict[str, Any]:
    plain = {"sha256": "", "format": "JPEG", "mode": "RGB", "hash": b"", "mirrored": b"", "detail": ""}
    return {**plain, "image_id": image, "width": width, "height": height, "reason": reason}


def test_the_catalog_sums_up_what_it_holds(catalog: Catalog) -> None:
    labels = [(DOG, 5, 2), (DOG, 5, 2), (DOG, 5, 0), (CAT, 7, 1), ("", -1, 0)]
    corners = [
        (1, DOG, 0, 0, 4, 4),
        (1, DOG, 5, 5, 9, 9),
        (2, DOG, 0, 0, 9, 9),
        (2, CAT, 0, 0, 1, 1),
        (4, CAT, 0, 0, 2, 2),
    ]
    import_images(catalog, [{"wnid": w, "rank": r, "boxes": b} for w, r, b in labels], corners)
    with catalog.write() as connection:
        rows = [read_size(1, 10, 10), read_size(2, 0, 0, "damaged"), read_size(3, 30, 10)]
        connection.execute(insert(schema.fingerprint), rows)
        said = [{"image_id": n, "width": 20, "height": 10, "file_id": 1001} for n in (1, 2)]
        connection.execute(insert(schema.annotation), said)
    with catalog.read() as connection:
        assert sorted(statistic_rows.label_counts(connection).tolist()) == [[5, 0, 1], [5, 2, 2], [7, 1, 1]]
        assert sorted(statistic_rows.box_counts(connection).tolist()) == [[1, 1], [2, 2]]
        assert sorted(statistic_rows.size_counts(connection).tolist()) == [[10, 10, 1], [20, 10, 1], [30, 10, 1]]
        held = dict(statistic_rows.boxes_by_class(connection))
    assert held[DOG].tolist() == [[1, 0, 0, 4, 4, 10, 10], [1, 5, 5, 9, 9, 10, 10], [2, 0, 0, 9, 9, 20, 10]]
    assert held[CAT].tolist() == [[2, 0, 0, 1, 1, 20, 10], [4, 0, 0, 2, 2, 0, 0]]


def photographs(project: Project, tmp_path: Path, fill: Callable[..., None]) -> None:
    """Twelve images each of a dog and a cat in a project, all labelled yes."""
    fill(tmp_path / "photos" / DOG, 12)
    fill(tmp_path / "photos" / CAT, 12, first=50, width=90, height=60)
    project.images.ingest(tmp_path / "photos")
    project.gold.add({(task.sha256, task.wnid): True for task in project.candidates.tasks()}, "test")
    project.crowd.run(project.crowd.simulated())


def test_images_labelled_yes_are_measured(project: Project, tmp_path: Path, fill: Callable[..., None]) -> None:
    nothing = project.statistics(diversity=3)
    assert (nothing.scale.images, nothing.sizes, nothing.objects) == (0, None, None)
    photographs(project, tmp_path, fill)
    found = project.statistics(diversity=8, seed=1)
    assert (found.scale.synsets, found.scale.images) == (2, 24)
    assert found.sizes is not None
    assert (found.sizes.images, found.sizes.mean_width, found.sizes.median_height) == (24, 85, 60)
    assert found.objects is None
    assert found.diversity is not None
    assert {one.wnid for one in found.diversity.synsets} == {DOG, CAT}
    assert found == project.statistics(diversity=8, seed=1)
    too_many = project.statistics(diversity=13).diversity
    assert too_many is not None
    assert too_many.synsets == ()
    json.dumps(found.values())


def test_what_is_drawn_does_not_depend_on_the_order_of_import(tmp_path: Path, wordnet: Ontology) -> None:
    names, drawn = [f"{n}.JPEG" for n in range(20)], []
    for order in (names, names[::-1]):
        catalog = Catalog(f"sqlite:///{tmp_path / order[0]}.sqlite")
        import_images(catalog, [{"name": n, "path": n, "wnid": DOG, "rank": wordnet.rank(DOG)} for n in order])
        with catalog.read() as connection:
            drawn.append(draw_images(connection, wordnet, 5, seed=3))
        catalog.close()
    assert drawn[0] == drawn[1]
    assert [len(draw.locations) for draw in drawn[0]] == [10]


def test_diversity_reads_the_images_where_they_lie(project: Project, wordnet: Ontology, tmp_path: Path) -> None:
    images = [encoded(photo(number)) for number in range(1, 4)]
    rows = [{"wnid": DOG, "rank": wordnet.rank(DOG), "length": len(image)} for image in images]
    import_images(project.catalog, rows, folder=tmp_path)
    with pytest.raises(ArchiveError, match="cannot read"):
        project.statistics(diversity=2)
    for number, image in enumerate(images, 1):
        (tmp_path / str(number)).write_bytes(image)
    found = project.statistics(diversity=2)
    assert found.diversity is not None
    assert len(found.diversity.synsets) == 1


def test_the_report_is_one_page_and_always_the_same(
    project: Project, wordnet: Ontology, tmp_path: Path, fill: Callable[..., None]
) -> None:
    photographs(project, tmp_path, fill)
    (tmp_path / "1").write_bytes(image := encoded(photo(99)))
    row = {"wnid": DOG, "rank": wordnet.rank(DOG), "boxes": 1, "length": len(image)}
    import_images(project.catalog, [row], [(1, DOG, 0, 0, 9, 9)], tmp_path)
    found = project.statistics(diversity=4)
    page = render(found, wordnet, "<b>$x$")
    assert page == render(found, wordnet, "<b>$x$")
    assert page.count("<svg") == 7
    assert "<h1>&lt;b&gt;$x$" in page
    assert 'src="http' not in page


def test_names_of_all_kinds_can_be_plotted() -> None:
    found = rank([diversity(DOG, [encoded(photo(1))], 1)], 1)
    ontology = small_ontology({1: []})
    empty = hierarchy(ontology, np.zeros(1, np.int64))
    measured = Statistics(scale(np.array([1])), empty, (), None, None, found)
    assert "<script>" not in plots(measured, lambda _: "$\\frac$ <script> 犬 \x01")["diversity"]


def test_text_bars_are_in_proportion_and_empty_ends_are_left_out() -> None:
    bins = [Bin("empty", 0), Bin("bb", 16), Bin("a", 0), Bin("c", 1), Bin("empty", 0)]
    assert text_bars(bins, width=4) == ["bb ████ 16", " a       0", " c ▎     1"]
    assert text_bars([]) == text_bars(bins[:1]) == []


def test_the_command_prints_and_writes_all_of_it(
    project: Project, tmp_path: Path, fill: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    photographs(project, tmp_path, fill)
    folder, page = str(project.path), tmp_path / "sub/page.html"
    commands.main(["statistics", "-p", folder, "--diversity", "5", "--report", str(page)], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "24 labelled images of 2 synsets: 12.0 in the mean" in shown
    assert "most diverse" in shown
    assert page.read_text().startswith("<!doctype html>")
    commands.main(["statistics", "-p", folder, "--json"], standalone_mode=False)
    values = json.loads(capsys.readouterr().out)
    assert values["images"] == values["properties"]["scale"]["images"] == 24
    assert values["properties"]["diversity"] is None


def test_what_is_only_imported_is_not_contradicted(
    project: Project, wordnet: Ontology, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*more: str) -> str:
        commands.main(["statistics", "-p", str(project.path), *more], standalone_mode=False)
        return capsys.readouterr().out

    assert "0 images taken in" in shown()
    import_images(project.catalog, [{"wnid": DOG, "rank": wordnet.rank(DOG)}] * 3)
    alone = shown("--diversity", "4")
    assert alone.startswith("imported d val: 3 images")
    assert "intake" not in alone
    assert "diversity is not measured: no synset has 4 images" in alone


def test_what_is_taken_in_and_what_is_imported_are_both_named(
    project: Project, wordnet: Ontology, tmp_path: Path, fill: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    photographs(project, tmp_path, fill)
    import_images(project.catalog, [{"wnid": DOG, "rank": wordnet.rank(DOG)}])
    commands.main(["statistics", "-p", str(project.path)], standalone_mode=False)
    first, intake, imported, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("24 images taken in, 24 candidates")
    assert intake == "intake: kept 24"
    assert imported.startswith("imported d val: 1 images")


# ILSVRC


def validation(shared: Path) -> dict[str, list[tuple[str, list[int]]]]:
    """Boxes of the 50,000 validation images, by name."""
    with (shared / "ilsvrc/LOC_val_solution.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    found = {}
    for name, text in rows:
        cells = text.split()
        numbers = [list(map(int, cells[start + 1 : start + 5])) for start in range(0, len(cells), 5)]
        found[name] = list(zip(cells[::5], numbers, strict=True))
    return found


def test_ilsvrcs_validation_images_have_as_many_boxes_as_published(shared: Path) -> None:
    """1.61 instances per positive image, as in IJCV 2015, section 3."""
    found: dict[str, list[int]] = {}
    held = validation(shared)
    for number, rows in enumerate(held.values()):
        for wnid, *_ in rows:
            found.setdefault(wnid, []).append(number)
    classes = [
        ClassBoxes(wnid, np.array(images), np.zeros((len(images), 4), np.int64), np.zeros((len(images), 2), np.int64))
        for wnid, images in found.items()
    ]
    per_image = np.bincount([len(rows) for rows in held.values()])
    summary = objects(classes, {n: int(count) for n, count in enumerate(per_image) if count})
    assert (summary.images, summary.boxes, len(summary.classes)) == (50_000, 80_477, 1_000)
    assert summary.instances is not None
    assert round(summary.instances, 2) == round(summary.mean_per_image, 2) == 1.61


def test_real_images_have_the_sizes_and_scales_they_should(shared: Path, project: Project, wordnet: Ontology) -> None:
    files = sorted((shared / "imagenet-val-sample").glob("*.JPEG"))
    held = validation(shared)
    rows, said, images = [], [], []
    for number, file in enumerate(files, 1):
        shown = held[file.stem]
        images.append({"wnid": shown[0][0], "rank": wordnet.rank(shown[0][0]), "boxes": len(shown), "path": file.name})
        images[-1]["length"] = file.stat().st_size
        rows += [(number, *box) for box in dict.fromkeys((wnid, *corners) for wnid, corners in shown)]
        height, width, _, _ = simplejpeg.decode_jpeg_header(file.read_bytes())
        said.append(read_size(number, width, height))
    import_images(project.catalog, images, rows, shared / "imagenet-val-sample")
    with project.catalog.write() as connection:
        connection.execute(insert(schema.fingerprint), said)
    found = project.statistics(1)
    assert found.sizes is not None
    assert found.objects is not None
    assert (found.sizes.images, found.sizes.median_width, found.sizes.median_height) == (500, 500, 375)
    assert 400 < found.sizes.mean_height < found.sizes.mean_width < 520
    assert found.objects.scale is not None
    assert 0.3 < found.objects.scale < 0.42
    assert found.diversity is not None
    assert (len(found.diversity.synsets), found.diversity.short) == (100, 0)
