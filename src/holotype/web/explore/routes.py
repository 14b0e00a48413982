"""The addresses of the pages for whoever may look."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from holotype.web.explore import downloads, home, pictures, releases, removals, tree
from holotype.web.routing import page

routes: Final[list[Route]] = [
    page("/", home.show_home, "public"),
    page("/tree", tree.show_roots, "public"),
    page("/tree/{wnid}", tree.show_branch, "public"),
    page("/synset/{wnid}", tree.show_synset, "public"),
    page("/map/{wnid}", tree.show_map, "public"),
    page("/search", tree.search, "public"),
    page("/images", pictures.show_images, "public"),
    page("/image/{key:path}", pictures.show_image, "public"),
    page("/thumb/{key:path}.jpg", pictures.send_thumbnail, "public", kind="picture"),
    page("/picture/{key:path}.jpg", pictures.send_picture, "public", kind="picture"),
    page("/download", downloads.download, "public", kind="heavy"),
    page("/releases", releases.show_releases, "public"),
    page("/releases/{name}", releases.show_release, "public"),
    page("/removal", removals.show_form, None),
    page("/removal", removals.ask, None, ("POST",), kind="removal"),
    page("/removal/{receipt}", removals.show_receipt, None),
]
