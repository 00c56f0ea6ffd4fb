"""Models and prices: what tokens really cost against the list, how prices changed, and what other models would take."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.models_and_prices.caches import CACHES
from farebox_dashboards.models_and_prices.prices import BOOK, PRICES
from farebox_dashboards.models_and_prices.unpriced import UNPRICED
from farebox_dashboards.overview.exact import EXACT

__all__ = ["MODELS_AND_PRICES"]

MODELS_AND_PRICES = Dashboard(
    uid="farebox-models-and-prices",
    title="farebox: Models and prices",
    description="What tokens really cost against the list, what has no price, and what other models would take",
    rows=(PRICES, UNPRICED, CACHES, BOOK, EXACT),
)
