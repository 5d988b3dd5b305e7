"""What loans came to: losses, rolls, vintages, and when money spent has come back."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import key

ROLL_RATES = Table(
    "roll_rates",
    "measure",
    "Where balances of each state went in a month: current, M1 to M4+, repaid, charged off or not reported",
    ("month", "state", "next_state"),
    (
        key("month", "string", "month at whose end the next state was told, YYYY-MM"),
        key(
            "state", "string", "state a month on book before: current, M1 (1 to 30 days), M2, M3 (to 90), M4+ (over 90)"
        ),
        key("next_state", "string", "the same, repaid, charged_off or not_reported"),
        key("loans", "bigint", "loans that went so"),
        key("balance_minor", "bigint", "what they owed before, minor units of the base currency"),
        Column("rate", "double", "share of the balance of `state`; sums to 1 over next states", scale=9),
    ),
)
LOAN_RESULTS = Table(
    "loan_results",
    "measure",
    "What each loan has come to so far beside being good: early forms, interest, losses",
    ("loan_id",),
    (
        key("loan_id", "string", "loan"),
        Column("is_good_30_3", "boolean", "no fraud, never over 30 days past due by month 3; null while not decided"),
        Column("is_first_late", "boolean", "over 30 days past due by month 2: the first instalment; null before"),
        key("lost_minor", "bigint", "charged off less recovered, minor units of the base currency"),
        key("interest_minor", "bigint", "interest earned, of months that ended with nothing past due"),
        key("balance_months_minor", "bigint", "balances summed over the months they were owed"),
        Column(
            "expected_loss_minor",
            "bigint",
            "what it is yet expected to lose: owed x chance to be late by month 12 x measure.loss_given_default; "
            "null while no loan has a month on book",
        ),
        Column(
            "interest_ahead_minor",
            "bigint",
            "interest it will yet earn by month 12, by survival and what older loans earned, discounted by "
            "measure.discount_a_year; 0 of late, repaid and fraudulent loans; null while no loan has twelve months",
        ),
        Column("balance_months_ahead_minor", "bigint", "the same of balances summed over the months they are owed"),
    ),
)
PAST_DUE_DAYS = (0, 30, 60, 90)
OBSERVED, DEVELOPED = "observed", "developed"
VINTAGES = Table(
    "vintages",
    "measure",
    "How loans aged: the share ever past due by months on book, by month of funding and channel, seen and to come",
    ("vintage", "channel", "days_past_due", "months_on_book", "maturity"),
    (
        key("vintage", "string", "month of funding, YYYY-MM"),
        key("channel", "string", "channel of the last touch; (unattributed) without one, (all) for every loan"),
        key("days_past_due", "bigint", "the share is of loans ever over so many days past due"),
        key("months_on_book", "bigint", "by that month on book"),
        key("loans", "bigint", "loans of the vintage"),
        Column("late", "bigint", "those ever over; null on what is to come"),
        key("principal_minor", "bigint", "money lent, minor units of the base currency"),
        Column("late_minor", "bigint", "money lent to those ever over; null on what is to come"),
        Column("owed_minor", "bigint", "what loans owe that are over then, charged-off ones not; may fall"),
        Column("net_minor", "bigint", "what those ever over have not paid: owed, or charged off less recovered"),
        key("rate", "double", "late / loans, or what it will come to"),
        key("lo", "double", "lower end, 95 %"),
        key("hi", "double", "upper end, 95 %"),
        key("maturity", "string", "observed, or developed: estimated for month 12 from what older vintages added"),
    ),
    rules=("(late is null) = (maturity = 'developed')", "rate between 0 and 1"),
)
PAYBACKS = Table(
    "paybacks",
    "measure",
    "What the customers of each month's touches have earned by months on book, beside what was spent on them",
    ("period", "channel", "months_on_book"),
    (
        key("period", "string", "month of the spend and of the touch, YYYY-MM"),
        key("channel", "string", "channel; (all) for every paid channel"),
        key("months_on_book", "bigint", "by that month on book, of months that every loan has been seen to"),
        key("loans", "bigint", "loans credited"),
        key("spend", "double", "spend of the month, major units of the base currency", scale=2),
        key("contribution", "double", "the numerator of contribution_per_funded so far", scale=2),
        key("is_paid_back", "boolean", "contribution has reached spend"),
        key("maturity", "string", "final, or open while more of the month's customers may be funded"),
    ),
)
