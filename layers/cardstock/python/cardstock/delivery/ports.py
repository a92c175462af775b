"""What delivery needs from outside."""

from typing import Protocol

from cardstock.delivery.model import Templates


class FreightTemplates(Protocol):
    """The brand's templates."""

    def read(self) -> Templates:
        """The templates as they are now; without any, version 0."""

    def replace(self, templates: Templates) -> bool:
        """Store templates in place of those of the version before; False, and nothing is stored, if that is not what
        is stored."""
