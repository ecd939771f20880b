//! The rows of the rule sets: one table per regime, and one for the clocks that every arrangement sets by policy.

use super::regime::Bound::{AtLeast, Within};
use super::regime::StartEvent::{
    ContractEntered, ContractStart, DeclarationDemanded, ExclusionDecided, ImprovementNoticeIssued, InvitationSent,
    NoFaultNoticeGiven, NoticeSent, RemovalNotified, RequestReceived, RoundClosed, RoundOpened, SuspensionBegan,
};
use super::regime::Unit::{CalendarDays, Months, WorkingDays};
use super::regime::{LegalRule as Rule, StartEvent};

const PCR: &str = "Public Contracts Regulations 2015";

/// Exclusion grounds read alike under regulation 34 and in a light-touch procedure that adopts them.
const PCR57: Rule = Rule::of(
    "PCR57",
    "Public Contracts Regulations 2015, regulation 57",
    "Mandatory exclusion grounds look back up to 5 years, discretionary ones up to 3; self-cleaning is considered, and \
     reasons are given when it is refused.",
);

/// `pcr_light_touch`.
pub(super) const PCR_LIGHT_TOUCH: &[Rule] = &[
    Rule::of(
        "PCR74",
        "Public Contracts Regulations 2015, regulations 74 to 76",
        "The authority designs its own procedure for social and other specific services; receipt and decision in \
         rounds are allowed.",
    ),
    Rule::of(
        "PCR76",
        "Public Contracts Regulations 2015, regulation 76",
        "The procedure is transparent and treats operators equally; it is run as it was published.",
    ),
    // Regulation 57 is not among regulations 74 to 76: it holds where the authority's own procedure adopts it.
    PCR57.verify(),
];

/// `pcr34`.
pub(super) const PCR34: &[Rule] = &[
    Rule::of(
        "PCR34-2",
        PCR,
        "The system is open through its whole validity to every operator that meets the selection criteria, and is \
         completely electronic.",
    ),
    Rule::of(
        "PCR34-3",
        PCR,
        "It may be split into objectively defined categories (lots), with criteria stated per category.",
    ),
    Rule::of("PCR34-6", PCR, "Every candidate that meets the criteria is admitted; the number is never limited."),
    Rule::of(
        "PCR34-9",
        PCR,
        "First requests to participate have at least 30 days from the day the notice is sent; no later limit applies \
         once the first invitation to tender went out.",
    )
    .at_least(30, CalendarDays, NoticeSent),
    Rule::of(
        "PCR34-11",
        PCR,
        "Tenders have at least 10 days from the invitation; a sub-central authority may agree another period with all \
         candidates.",
    )
    .at_least(10, CalendarDays, InvitationSent),
    Rule::of(
        "PCR34-14",
        PCR,
        "The procurement documents are open to all, free, as long as the system is valid; they state the nature and \
         estimated quantity of the purchases.",
    ),
    Rule::of("PCR34-16", PCR, "A request is evaluated within 10 working days of its receipt.").within(
        10,
        WorkingDays,
        RequestReceived,
    ),
    Rule::of(
        "PCR34-17",
        PCR,
        "In an individual case the evaluation may take up to 15 working days from receipt, with a recorded \
         justification that is decided before day 10.",
    )
    .within(15, WorkingDays, RequestReceived),
    Rule::of(
        "PCR34-18",
        PCR,
        "Before the first invitation to tender the evaluation may be extended further, if no invitation goes out \
         meanwhile and the length is in the documents.",
    )
    .given(Within, WorkingDays, RequestReceived),
    Rule::of("PCR34-20", PCR, "The operator is told at the earliest opportunity whether it is admitted."),
    Rule::of(
        "PCR34-21/22",
        PCR,
        "All operators admitted to the category are invited to each procurement; there is no direct award.",
    ),
    Rule::of(
        "PCR34-25",
        PCR,
        "At any time a renewed self-declaration may be demanded within 5 working days of the request being sent.",
    )
    .within(5, WorkingDays, DeclarationDemanded),
    Rule::of("PCR34-28", PCR, "A change of validity and a termination are notified."),
    Rule::of("PCR34-29", PCR, "Interested and admitted operators are charged nothing."),
    PCR57,
    Rule::of(
        "PCR34-END",
        "Procurement Act 2023, transitional and saving provisions",
        "Systems under regulation 34 end by 23 February 2029.",
    )
    .verify(),
    Rule::of(
        "PCR34-PERIOD",
        "Procurement Act 2023, transitional and saving provisions",
        "The period of a system under regulation 34 is not changed after 23 February 2026.",
    )
    .verify(),
];

/// `pa23_market`.
pub(super) const PA23_MARKET: &[Rule] = &[
    Rule::of(
        "PA34-3",
        "Procurement Act 2023, section 34(3)",
        "Only members of the market, or of the part of it, may be awarded; a tender from a non-member is disregarded.",
    ),
    Rule::of(
        "PA34-4",
        "Procurement Act 2023, section 34(4)",
        "Before a non-member is disregarded, its pending application for membership is considered first, save in \
         exceptional complexity.",
    ),
    Rule::of(
        "PA36-1",
        "Procurement Act 2023, section 36(1)",
        "Conditions are a proportionate test of legal and financial capacity and technical ability; audited accounts \
         only where the law requires them, and insurance need not be in place before award, so every requirement \
         carries a gate: membership, award or ongoing.",
    ),
    Rule::of(
        "PA36-5",
        "Procurement Act 2023, section 36(5)",
        "Applications are taken at any time and considered within a reasonable period; qualifying suppliers that are \
         not excluded are admitted as soon as reasonably practicable and told the outcome with reasons.",
    ),
    Rule::of(
        "PA36-6",
        "Procurement Act 2023, section 36(6)",
        "The number of members is not limited; conditions are not changed during the term.",
    ),
    PA37,
    Rule::of(
        "PA38",
        "Procurement Act 2023, section 38",
        "A fee is charged only to a supplier that is awarded a contract, as a fixed percentage of its estimated value; \
         never for joining.",
    ),
    Rule::of(
        "PA39",
        "Procurement Act 2023, section 39",
        "Notices are published as soon as reasonably practicable: UK13 intention, UK14 establishment, UK15 \
         modification (each change of who is a member included), UK16 cessation.",
    ),
    PA58,
    PA59,
    pa53("The contract details notice (UK7) is published within 30 days after the contract is entered into.", 30),
];

/// `pa23_light_touch`.
pub(super) const PA23_LIGHT_TOUCH: &[Rule] = &[
    Rule::of(
        "PA23-LT",
        "Procurement Act 2023",
        "Social and other specified services: the authority designs its own light-touch procedure.",
    )
    .verify(),
    // Sections 34 to 40 are about markets; what section 37 says of removal is taken as a pattern here.
    PA37,
    PA58,
    PA59,
    pa53("The contract details notice (UK7) is published within 120 days after the contract is entered into.", 120),
];

const PA37: Rule = Rule::of(
    "PA37",
    "Procurement Act 2023, section 37",
    "An excluded supplier on the debarment list by a mandatory ground must be removed; another excluded or excludable \
     supplier, or one that no longer meets the conditions, may be. The supplier is told the decision and reasons before \
     removal.",
)
.verify();

const PA58: Rule = Rule::of(
    "PA58",
    "Procurement Act 2023, section 58",
    "A supplier may make representations and show self-cleaning before it is treated as excluded or excludable.",
);

const PA59: Rule = Rule::of(
    "PA59",
    "Procurement Act 2023, section 59",
    "The Minister is notified within 30 days when an applicant is refused or a member removed as excluded or \
     excludable.",
)
.verify()
.within(30, CalendarDays, ExclusionDecided);

const fn pa53(text: &'static str, days: u32) -> Rule {
    Rule::of("PA53", "Procurement Act 2023, section 53", text).within(days, CalendarDays, ContractEntered)
}

const fn policy(id: &'static str, text: &'static str) -> Rule {
    Rule::of(id, "the arrangement's policies", text)
}

const fn lasts(id: &'static str, text: &'static str, unit: super::regime::Unit, start: StartEvent) -> Rule {
    policy(id, text).given(Within, unit, start)
}

/// The clocks whose length each arrangement sets, the same under every regime.
pub(super) const POLICY: &[Rule] = &[
    lasts("DPS-11", "A round is open for as many calendar days as the policies say.", CalendarDays, RoundOpened),
    policy("DPS-12", "The next round opens as many months after this one as the policies say.").given(
        AtLeast,
        Months,
        RoundOpened,
    ),
    lasts(
        "DPS-16",
        "The evaluation of a round is planned to end within its evaluation days.",
        CalendarDays,
        RoundClosed,
    ),
    lasts("DPS-17", "The term runs as many months from the contract start as the policies say.", Months, ContractStart),
    lasts("DPS-19", "A suspension lasts as many months as it was given, up to the maximum.", Months, SuspensionBegan),
    policy("A8", "A removal takes effect when its notice days have passed; until then representations are heard.")
        .given(AtLeast, CalendarDays, RemovalNotified),
    policy("NOT-06", "A membership ended without cause ends when its months of notice have passed.").given(
        AtLeast,
        Months,
        NoFaultNoticeGiven,
    ),
    lasts(
        "TIR-18",
        "What an improvement notice asks is rectified within the days agreed.",
        CalendarDays,
        ImprovementNoticeIssued,
    ),
];
