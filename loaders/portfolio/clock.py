"""When things happen: the calendar with weekends, festivals and month ends, and the hours of a shop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loaders.portfolio.chance import Floats, Ints, chance, pick_at
from loaders.portfolio.parameters import Parameters

DAY = 86_400
NEVER = 2**62
"""A moment that does not come; written as an empty cell."""
Dates = NDArray[np.datetime64]


class Clock:
    """Moments are seconds of local time (UTC+8) since the first midnight of the calendar."""

    def __init__(self, p: Parameters, *, months: int, drift_months: int) -> None:
        self.p = p["calendar"]
        self.start = np.datetime64(str(self.p["start"]), "D")
        first = self.start.astype("datetime64[M]")
        end = (first + months).astype("datetime64[D]")
        self.days = int((end - self.start).astype(int))
        self.end = self.days * DAY
        changed = (first + months - drift_months).astype("datetime64[D]")
        self.drift = int((changed - self.start).astype(int)) * DAY if drift_months else NEVER
        self.drifts = drift_months > 0
        self.weights = self._weights()

    def _weights(self) -> Floats:
        p, dates = self.p, self.start + np.arange(self.days)
        weights = np.where(np.is_busday(dates), 1.0, p["weekend_factor"])
        next_month = (dates.astype("datetime64[M]") + 1).astype("datetime64[D]")
        weights[(next_month - dates).astype(int) <= p["month_end_days"]] *= p["month_end_peak"]
        for festival in p["spring_festivals"]:
            until = (np.datetime64(str(festival), "D") - dates).astype(int)
            weights[(until > 0) & (until <= p["pre_festival_days"])] *= p["pre_festival_peak"]
            weights[(until <= 0) & (until > -p["festival_days"])] *= p["festival_dip"]
        return weights

    def rough(self, rng: np.random.Generator, volume: int) -> Floats:
        """The day weights with the overdispersion a portfolio of this volume shows."""
        daily = volume * self.weights / self.weights.sum()
        extra = max(self.p["overdispersion"] - 1, 1e-9)
        return np.asarray(rng.gamma(daily / extra, extra), dtype=float)

    def moments(self, rng: np.random.Generator, n: int) -> Ints:
        """Moments of `n` ordinary applications."""
        return pick_at(rng, self.rough(rng, n), n) * DAY + self.hours(rng, n)

    def hours(self, rng: np.random.Generator, n: int) -> Ints:
        """Second of the day: shop hours mostly."""
        opens, closes = self.p["shop_hours"]
        shop = rng.integers(opens * 3600, closes * 3600, n)
        night = (rng.integers(closes * 3600, (opens + 24) * 3600, n)) % DAY
        return np.where(chance(rng, self.p["shop_hours_share"], n), shop, night).astype(np.int64)

    def texts(self, moments: Ints) -> NDArray[np.datetime64]:
        """As local timestamps; NEVER becomes NaT."""
        stamps: Dates = self.start.astype("datetime64[s]") + np.where(moments == NEVER, 0, moments).astype(
            "timedelta64[s]"
        )
        stamps[moments == NEVER] = np.datetime64("NaT")
        return stamps

    def dates(self, moments: Ints) -> Dates:
        days: Dates = self.texts(moments).astype("datetime64[D]")
        return days
