"""``image_documents``, which LlamaIndex's multi-modal classes take beside a prompt, as the image blocks they mean."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ImageBlock

from ..errors import InvalidRequestError


def to_image_block(document: Any) -> ImageBlock:
    """An ``ImageDocument``, ``ImageNode`` or ``ImageBlock`` as a block: its image, else its file, else its URL.

    Raises:
        InvalidRequestError: it is none of these, or holds no image.
    """
    if isinstance(document, ImageBlock):
        return document
    kind = getattr(document, "image_mimetype", None)
    if image := getattr(document, "image", None):
        return ImageBlock(image=image.encode(), image_mimetype=kind)
    if path := getattr(document, "image_path", None):
        return ImageBlock(path=path, image_mimetype=kind)
    if url := getattr(document, "image_url", None):
        return ImageBlock(url=url, image_mimetype=kind)
    raise InvalidRequestError(
        "image_documents must hold ImageDocuments or ImageBlocks that have an image, a path or a URL, "
        f"not {type(document).__name__}"
    )
