"""HTTP: products by words, pinyin or article numbers, with filters; suggestions while typing."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.catalog.wiring import products, variants
from cardstock.edge.errors import CURSOR_INVALID
from cardstock.edge.http import Api, Nothing, Request
from cardstock.flows.finding_products import find_products
from cardstock.flows.finding_schemas import SearchPage
from cardstock.partners import wiring as partners_wiring
from cardstock.search.model import Language
from cardstock.search.schemas import SearchQuery, SuggestionQuery, Suggestions
from cardstock.search.wiring import search_index
from cardstock.uploads.wiring import files_host

api = Api("search", callers=partners_wiring.callers)


@api.get("/v1/search", query=SearchQuery, answer=SearchPage, codes=(CURSOR_INVALID,))
def search_products(request: Request[Nothing, SearchQuery]) -> SearchPage:
    """Search products that are on sale.

    Words in Chinese or English, parts of them, pinyin and its initials, article numbers; typing errors are corrected,
    and `corrected` says so. A change of a product is found about a minute later. A facet counts what its own filter
    leaves out too.
    """
    language: Language = "en" if request.language == "en" else "zh"
    query = request.query.query(language, clock.now())
    found = find_products(query, index=search_index(), products=products(), variants=variants())
    return SearchPage.of(found, request.query.cursor_after(found.page.total), language, files_host())


@api.get("/v1/search/suggestions", query=SuggestionQuery, answer=Suggestions)
def suggest_searches(request: Request[Nothing, SuggestionQuery]) -> Suggestions:
    """Complete what is typed.

    Brands, categories and words of titles that begin with it, or are read so; behind several words the last one is
    completed.
    """
    return Suggestions.of(search_index().suggest(request.query.q, request.query.limit))


handler = api.handler
connect()
