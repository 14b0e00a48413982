"""What the facts of a release answer of a datasheet's questions, in sentences of plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from holotype.licences import parse
from holotype.releases.census import OTHERS, Census
from holotype.releases.described import Described, day, one_line
from holotype.releases.faces import FACES
from holotype.releases.layout import ARCHIVE, MACHINE, METADATA, PEOPLE, TAKEN_DOWN
from holotype.releases.leaks import Check
from holotype.releases.quantities import plural

_BY: Final = {PEOPLE: "people", MACHINE: "machines", ARCHIVE: "the archives of their images"}
_LISTED: Final = 12
_UNITS: Final = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_NOTHING_TOLD: Final = (
    "No image file says who took it, where, or with which device: metadata that may (EXIF, XMP, IPTC, notes of "
    "cameras, thumbnails, comments) were taken out, pixels are as they were."
)
_SPLITS: Final = ("train", "val", "test")


def answers(release: Described) -> dict[str, list[str]]:
    """Sentences by the key of the question that they answer: see `holotype.releases.questions`."""
    census = release.census
    found: dict[str, list[str]] = {}
    for key, sentence in (
        *_composition(release, census),
        *_quality(release, census),
        *_collection(release, census),
        *_pictures(release),
        *_faces(release),
        *_distribution(census),
    ):
        found.setdefault(key, []).append(sentence)
    return found


def listed(counts: Counter[str], unknown: str) -> str:
    """The most frequent texts with their counts, ``A (3), B (1) and 2 others (5)``; "" is called `unknown`."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{one_line(text) or unknown} ({number:,})" for text, number in ordered[:_LISTED]]
    if rest := ordered[_LISTED:]:
        shown.append(f"{plural(len(rest), 'other')} ({sum(number for _, number in rest):,})")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


def splits(census: Census) -> str:
    """How many images are in each split."""
    return ", ".join(f"{name} {census.of['split'][name]:,}" for name in _SPLITS)


def on_others(release: Described) -> str:
    """How many votes are on no image of the release, and why they are shipped."""
    number = plural(release.census.votes.others, "vote is", "votes are")
    if release.hears_votes:
        return f"And {number} on other images, from which workers' skill follows."
    return f"{number} on other images, from which no label here follows."


def bound(certificate: Mapping[str, Any], lemmas: Mapping[str, str]) -> str:
    """What a certificate says, in a sentence."""
    name = lemmas.get(certificate["wnid"], "")
    of = f"{certificate['wnid']} ({one_line(name)})" if name else certificate["wnid"]
    return (
        f"Of the {plural(certificate['labels'], 'label')} of {of} and below at least {certificate['lower']:.1%} are "
        f"correct, with a confidence of {certificate['confidence']:.0%}: independent auditors looked at a random "
        f"sample of {certificate['audited']:,} and found {certificate['correct']:,} correct."
    )


def _composition(release: Described, census: Census) -> Iterator[tuple[str, str]]:
    classes = len(release.summary["classes"])
    yield "instances", f"Images, each labelled with one or more of {plural(classes, 'synset')} of an ontology."
    yield "number", f"{plural(census.images, 'image')} with {plural(census.labels, 'label')}: {splits(census)}."
    sizes = sorted(census.synsets.values())
    if sizes:
        yield "number", _per_synset(sizes)
    if several := sum(number for count, number in census.labels_per_image.items() if count > 1):
        yield "number", f"{plural(several, 'image has', 'images have')} several labels."
    if census.boxes:
        by = ", ".join(f"{number:,} by {_BY.get(one, OTHERS)}" for one, number in sorted(census.boxes_by.items()))
        told = f" ({by})" if by else ""
        yield "number", f"{plural(census.boxes, 'box', 'boxes')} in {plural(census.boxed, 'image')}{told}."
    if census.masks:
        yield "number", f"{plural(census.masks, 'mask')} in {plural(census.masked, 'image')}."
    query = one_line(str(release.summary.get("query", "")))
    what = f"the images that the query {query!r} finds" if query else "all images of its makers' project"
    yield "sample", f"Of {what} it has those that were labelled yes when it was made."
    yield "data", f"An image file ({listed(census.of['format'], 'unknown format')}), {size_of(census.bytes)} in all."
    yield "labels", "Each label is a synset, named by its WordNet id or that of its makers' own ontology."
    for policy, number in sorted(census.policies.items(), key=lambda pair: (-pair[1], pair[0]))[:_LISTED]:
        yield "labels", f"{plural(number, 'label was', 'labels were')} accepted by: {one_line(policy)}."
    for name, what in (("author", "author"), ("licence", "licence"), ("url", "address on the web")):
        if lacks := census.images - census.named[name]:
            yield "missing", f"For {plural(lacks, 'image')} no {what} was told."
    if unread := census.images - census.read:
        yield "missing", f"{plural(unread, 'image was', 'images were')} never read, so their size is not known."
    near = f"{plural(census.near_duplicates, 'near-duplicate')} in {plural(census.near_groups, 'group')}"
    yield "relations", f"{near if census.near_groups else 'No near-duplicates'} were found among its images."
    if census.groups < census.images:
        yield "relations", f"They are {plural(census.groups, 'group')}, of which none is divided among splits."
    yield "splits", f"{splits(census)}. {_drawn(release.summary, census.images)}"
    yield (
        "external",
        (
            "It is self-contained: its images are in its shards."
            if release.own
            else "Its images are not in it: it says where they lie in archives that its users must have."
        ),
    )


def _per_synset(sizes: Sequence[int]) -> str:
    """How many images a synset has; `sizes` ascend."""
    if sizes[0] == sizes[-1]:
        return f"Each synset has {plural(sizes[0], 'image')}."
    return f"A synset has {sizes[0]:,} to {plural(sizes[-1], 'image')}, {sizes[len(sizes) // 2]:,} in the median."


def _drawn(summary: Mapping[str, Any], images: int) -> str:
    """How images came to their splits."""
    by = f"by seed {summary.get('seed')}, stratified by synset."
    came = sum((summary.get("imported_splits") or {}).values())
    if not came:
        return f"Drawn {by}"
    if came >= images:
        return "Nothing was drawn: all images keep the split they came with."
    kept = plural(came, "image keeps the split it came with", "images keep the split they came with")
    return f"{kept}; the others go with near-duplicates that do, or were drawn {by}"


def _quality(release: Described, census: Census) -> Iterator[tuple[str, str]]:
    summary = release.summary
    for certificate in release.certified[:_LISTED]:
        yield "errors", bound(certificate, release.lemmas)
    if not release.certified:
        yield "errors", "No audit certifies how many labels are correct."
    if outvoted := summary.get("outvoted"):
        yield "errors", f"{plural(outvoted, 'label')} were accepted against more noes than yeses of people."
    if unchecked := summary.get("unchecked", {}).get("remark"):
        yield "errors", f"{unchecked}."
    for alarm in summary.get("alarms", [])[:_LISTED] if release.hears_votes else ():
        yield "errors", f"A remark on the votes: {alarm['message']}."
    yield from _leaks(release.leaks)
    if silent := census.votes_per_label[0]:
        yield "errors", f"{plural(silent, 'label has', 'labels have')} no vote of a person that counts."


def _leaks(checks: Sequence[Check]) -> Iterator[tuple[str, str]]:
    """What was looked for in two splits, or in a split and another collection, that should be in one only."""
    passed = sum(check.passed for check in checks)
    if checks:
        yield "errors", f"{passed:,} of {plural(len(checks), 'check')} for leaks passed."
    for check in [check for check in checks if not check.passed][:_LISTED]:
        yield "errors", f"Leaks: {one_line(check.text)}."


def _collection(release: Described, census: Census) -> Iterator[tuple[str, str]]:
    summary, votes = release.summary, census.votes
    yield "acquisition", f"Images by source: {listed(census.of['source'], 'unknown')}."
    if census.read == census.images:
        yield "mechanisms", "Every image was decoded completely; what is damaged or cut short is not in it."
    recipe = summary.get("recipe")
    for key, told in _CHOICES.items():
        if isinstance(recipe, dict) and recipe.get(key):
            yield "sampling", f"{told.format(one_line(_choice(recipe[key])))}."
    if votes.votes:
        with_machines = f" and {plural(len(votes.machines), 'machine')}" if votes.machines else ""
        people = f"{plural(votes.people, 'person', 'people')} under hashed names{with_machines}"
        given = listed(votes.answers, "none")
        yield "workers", f"{people} cast {plural(votes.votes, 'vote')} that count: {given}."
        first, last = day(votes.first), day(votes.last)
        when = f"on {first}" if first == last else f"from {first} to {last}"
        yield "time", f"The votes that count were cast {when} (UTC)."
    if votes.others:
        yield "workers", on_others(release)
    helped = summary.get("machines", {}).get("labels_by_machine", {})
    for name, number in sorted(helped.items())[:_LISTED]:
        yield "workers", f"The machine {one_line(name)} helped with {plural(number, 'label')}."
    if overruled := summary.get("overruled"):
        made = sum(sum(one.values()) for one in overruled.values())
        yield "workers", f"{plural(len(overruled), 'curator')} decided {plural(made, 'label')} of the project by hand."
    left = summary.get("removal_asked", 0)
    if left:
        yield "revocation", f"{plural(left, 'label')} were left out because somebody asked that images be taken down."
    if others := summary.get("other_licences"):
        yield "sampling", f"Left out, as their licences are none of those: labels by licence, {_codes(others)}."
    if taken := _taken(summary.get(TAKEN_DOWN)):
        yield "revocation", f"Taken down since an earlier release: {taken}."


_CHOICES: Final = {
    "datasets": "Only images of these datasets: {}",
    "per_synset": "At most so many images per synset: {}",
    "at_least": "Only synsets with at least so many images: {}",
    "balance": "As many images of each synset as of the smallest one",
    "licences": "Only images under licences that are: {}",
    "together": "Kept together in one split, by what they share: {}",
}


def _codes(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{one_line(code)} {number:,}" for code, number in list(numbers.items())[:_LISTED])


def _choice(value: Any) -> str:
    """What was chosen, as people write it: lists have no brackets."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _taken(taken: Any) -> str:
    """How many images were taken down, from which releases, the earliest first."""
    steps = taken.get("from", []) if isinstance(taken, dict) else []
    return ", ".join(
        f"{plural(step['images'], 'image')} with {plural(step['labels'], 'label')} of {one_line(str(step['release']))}"
        for step in steps[:_LISTED]
    )


def _pictures(release: Described) -> Iterator[tuple[str, str]]:
    variant, taken_out = release.variant, release.summary.get(METADATA)
    if not variant and taken_out is not None:
        yield "preprocessing", f"Image files are as they came, but for {plural(taken_out, 'image')} without metadata."
        yield "identifiable", _NOTHING_TOLD
    elif not variant:
        yield "preprocessing", "Image files are as they came, with whatever metadata they have."
        yield "identifiable", "Metadata in image files (EXIF, which may tell places and devices) were not taken out."
    else:
        side = variant.get("short_side")
        small = f"made smaller where the shorter side was longer than {side} pixels, and " if side else ""
        yield "preprocessing", f"Pictures were {small}freed of metadata; their originals are not in the release."
        yield "identifiable", "Metadata in image files (EXIF with places and devices, XMP, comments) were taken out."
    if left := release.summary.get("not_sound"):
        yield "preprocessing", f"{plural(left, 'image')} labelled yes were left out, as they cannot be decoded."
    if release.hears_votes or release.census.votes.votes:
        yield "preprocessing", "Labels follow from votes by the policies above; votes of blocked workers do not count."
        yield "raw", "Every vote that counts is in votes.parquet, so that labels can be concluded anew."
    else:
        yield "preprocessing", "No label follows from votes: each is what is named above as accepting it."
    yield "software", "It was made with holotype."


def _faces(release: Described) -> Iterator[tuple[str, str]]:
    said = release.summary.get(FACES)
    if not said:
        return
    found = f"{plural(said['faces'], 'face')} in {plural(said['images'], 'image')}"
    yield "preprocessing", f"{found} were blurred as ImageNet's were (Yang et al. 2022); those images are encoded anew."
    by = ", ".join(f"{one_line(name)} ({number:,})" for name, number in said["looked"].items()) or "nobody"
    yield "identifiable", f"Faces were looked for by {by}; what was found is blurred, some are missed."
    if left := said["unlooked"]:
        yield "identifiable", f"Nobody looked for faces on {plural(left, 'image')}."


def _distribution(census: Census) -> Iterator[tuple[str, str]]:
    yield "channel", "A folder of files; SHA256SUMS lists each with its sha256."
    told = listed(with_addresses(census.of["licence"]), "not told")
    yield "licence", f"Licences of single images, as they were told where these were found: {told}."
    yield "licence", "attribution.csv names author, licence and address of each image."
    yield "erratum", "A release never changes: corrections make a new one, and two can be compared."
    yield "updates", "Images that somebody asks to be taken down are left out of later releases."


def with_addresses(licences: Counter[str]) -> Counter[str]:
    """Licences as they were told, with the address of each that can be told and is not it."""
    found = Counter[str]()
    for text, number in licences.items():
        url = parse(text).canonical
        found[f"{text}, {url}" if url and url != text else text] += number
    return found


def size_of(size: int) -> str:
    """Bytes as people read them."""
    unit, name = next(((unit, name) for unit, name in _UNITS if size >= unit), (1, "bytes"))
    return f"{size:,} bytes" if unit == 1 else f"{size / unit:,.1f} {name}"
