"""The port of freight templates in memory."""

from cardstock.delivery.model import NO_TEMPLATES, Templates


class MemoryFreightTemplates:
    """`delivery.ports.FreightTemplates`."""

    def __init__(self) -> None:
        self.templates = NO_TEMPLATES

    def read(self) -> Templates:
        return self.templates

    def replace(self, templates: Templates) -> bool:
        if templates.version != self.templates.version + 1:
            return False
        self.templates = templates
        return True
