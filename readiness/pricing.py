"""What a gap costs: its number times the school's own price; without a price or a number no cost, and why. Pure."""

from enum import StrEnum

import msgspec

from readiness.plan import Prices
from readiness.wording import rate


class Per(StrEnum):
    """How often it is paid."""

    ONCE = "once"
    MONTH = "month"
    YEAR = "year"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of the school's currency, or nothing and why. `at_least`, `at_most` and `about` as of the priced gap."""

    amount: float | None
    how: str
    per: Per = Per.ONCE
    currency: str = ""
    at_least: bool = False
    at_most: bool = False
    about: bool = False


def things(prices: Prices, field: str, number: float, *, per: Per = Per.ONCE) -> Cost:
    """So many things at the price that stands in `field` of [prices]."""
    price: float | None = getattr(prices, field)
    if price is None:
        return Cost(amount=None, how=f"no price is given (prices.{field})", per=per)
    return Cost(
        amount=number * price,
        how=f"{round(number):,} at {money(price, prices.currency)} each",
        per=per,
        currency=prices.currency,
    )


def line(prices: Prices, wanted: float, contracted: float | None, carried: float | None) -> Cost:
    """A line towards the school that is to carry `wanted` (bit/s): the offer that does, or the Mbps beyond the contract.

    What the contract promises already costs nothing: it is claimed, not bought. Without a contract in the configuration the
    Mbps are counted beyond what the line carries at least, so the cost is at most that.
    """
    if contracted is not None and contracted >= wanted:
        return _month(prices, 0.0, f"the contract promises {rate(contracted)}; claim it before anything is bought")
    if prices.circuits:
        fitting = min((one for one in prices.circuits if one.rate >= wanted), key=lambda one: one.rate, default=None)
        if fitting is None:
            return Cost(amount=None, how=f"no offer in prices.circuits carries {rate(wanted)}", per=Per.MONTH)
        return _month(prices, fitting.month, f"all of a line of {rate(fitting.rate)}, instead of today's")
    if prices.mbps is None:
        return Cost(amount=None, how="no price is given (prices.mbps or prices.circuits)", per=Per.MONTH)
    known = contracted if contracted is not None else carried
    if known is None:
        return Cost(amount=None, how="neither the contract nor the line's rate is known", per=Per.MONTH)
    beyond = "beyond the contract" if contracted is not None else "beyond what the line carries at least"
    extra = max(0.0, wanted - known)
    how = f"{rate(extra)} {beyond}, at {money(prices.mbps, prices.currency)} for each Mbps"
    found = _month(prices, extra / 1e6 * prices.mbps, how)
    return msgspec.structs.replace(found, at_most=contracted is None)


def money(amount: float, currency: str) -> str:
    """An amount as people write it: "1,250 USD", "0.85 USD"."""
    return f"{amount:,.2f}".removesuffix(".00") + f" {currency}"


def _month(prices: Prices, amount: float, how: str) -> Cost:
    return Cost(amount=amount, how=how, per=Per.MONTH, currency=prices.currency)
