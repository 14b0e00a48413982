"""Synsets that nobody is asked about: what they mean cannot be seen, or is in every picture."""

from __future__ import annotations

from typing import Final

ABSTRACT: Final = frozenset(
    (
        *("n00001740", "n00001930", "n00002137", "n00002452", "n04424218"),  # entity, physical entity, abstraction
        *("n00002684", "n00003553", "n09465459", "n00019128"),  # object, whole, unit, natural object
        *("n00020827", "n00019613", "n00020090", "n14580597", "n15046900"),  # matter, substance, solid
        *("n00021939", "n00022903", "n03129123", "n04007894", "n04550840"),  # artifact, article, creation, product
        *("n03076708", "n03748886", "n03093574"),  # commodity, merchandise, consumer goods
        *("n03892891", "n09385911", "n13809207", "n13810323"),  # parts, units
        *("n00007347", "n00031264", "n07941170"),  # causal agent, group, biological group
        *("n00024264", "n00024720", "n00023100", "n00031921", "n00033020"),  # attribute, state, feature, relation
        *("n00029378", "n00030358", "n00029677", "n00033615"),  # event, act, process, measure
        *("n01466257", "n01471682", "n01886756"),  # chordate, vertebrate, placental: words of zoologists
    )
)
"""WordNet 3.0's upper synsets. They say nothing of a picture ("whole", "matter"), or are in nearly every one
("artifact"): to ask them first costs a question an image and rules nothing out."""
