from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, count, times


class DealerLosses(Rule):
    """Even by a cautious estimate the dealer's share of fraud and unpaid first instalments is a multiple of its
    region's.
    """

    code = "R25"
    strength = Strength.REVIEW
    points = 60
    stage = Stage.DEALER
    cluster = Cluster.CHANNEL
    reads = ("dealer_loans", "dealer_times_region")
    thresholds = (
        count("loans", "loans"),
        times(),
    )
    reason = "RC11"
    typologies = ("T09", "T18")
    zh = "车商欺诈率显著偏高"
    en = "dealer with far more losses than its region"
    advice_zh = "实地走访、盘点库存、核对收款账户所有人，复查审核与例外放行记录。"
    advice_en = "Visit the dealer, count the stock, check who owns the payee account, reread approvals and overrides."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["dealer_loans"] >= settings["loans"]) & (columns["dealer_times_region"] > settings["times"])
