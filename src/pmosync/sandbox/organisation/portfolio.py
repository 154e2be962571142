"""The programs and projects of the generated organisation: work streams, deliverables, and the people.

Plain data: a project's tasks, dates and faults are made from it in `plan.py`, the same every day.
"""

from __future__ import annotations

from dataclasses import dataclass

DIGITAL, OPERATIONS, GROWTH = "Digital banking", "Operations renewal", "Customer growth"


@dataclass(frozen=True)
class ProjectPlan:
    """`faults` is the share of open tasks that get one planted; `parked` the share in a status nobody mapped."""

    tool: str
    key: str
    name: str
    program: str
    faults: float
    streams: dict[str, tuple[str, ...]]
    style: str = "company"
    bot_admin: bool = True
    has_owner: bool = True
    private: bool = False
    parked: float = 0.0


PROJECTS: tuple[ProjectPlan, ...] = (
    ProjectPlan("jira", "PAY", "Instant payments", DIGITAL, 0.13, {
        "Clearing connection": ("scheme adapter", "message validation", "settlement account", "end-to-end test plan"),
        "Fraud screening": ("scoring rules", "case queue", "blocked payment notice", "screening latency report"),
        "Customer channels": ("mobile payment form", "payee check screen", "branch terminal update", "error messages"),
        "Reconciliation": ("nightly balance job", "break investigation view", "ledger postings", "audit extract"),
        "Operations readiness": ("24/7 duty roster", "incident runbook", "capacity forecast", "support training"),
        "Launch": ("pilot group", "cut-over plan", "scheme certification", "launch communication"),
    }),
    ProjectPlan("jira", "PLAT", "Core platform upgrade", DIGITAL, 0.17, {
        "Database move": ("schema migration", "replication set-up", "restore rehearsal", "storage sizing"),
        "Interface renewal": ("customer interface v3", "account interface v3", "rate limits", "partner notice"),
        "Batch redesign": ("end-of-day chain", "interest run", "statement run", "job monitoring"),
        "Security hardening": ("key rotation", "access review", "penetration test", "patch calendar"),
        "Test automation": ("regression pack", "load profile", "test data masking", "nightly report"),
        "Cut-over": ("dress rehearsal", "rollback plan", "freeze calendar", "hypercare desk"),
    }, bot_admin=False),
    ProjectPlan("jira", "MOB", "Mobile app relaunch", DIGITAL, 0.12, {
        "Design system": ("colour tokens", "component library", "accessibility audit", "icon set"),
        "Sign-in": ("biometric sign-in", "device binding", "password reset", "session time-out"),
        "Accounts view": ("balance cards", "transaction search", "export to PDF", "offline mode"),
        "Notifications": ("push service", "preference centre", "quiet hours", "delivery report"),
        "Store release": ("beta track", "store listing", "review answers", "crash dashboard"),
        "Adoption": ("in-app tour", "customer survey", "usage analytics", "legacy app switch-off"),
    }, style="team"),
    ProjectPlan("jira", "CRM", "Customer records clean-up", GROWTH, 0.45, {
        "Duplicate detection": ("matching rules", "merge workbench", "false match review", "matching benchmark"),
        "Address quality": ("postal validation", "returned mail process", "country codes", "address history"),
        "Consent": ("consent register", "opt-out feed", "retention schedule", "privacy notice"),
        "Data owners": ("owner directory", "quality dashboard", "correction workflow", "monthly review"),
        "Integration": ("branch system feed", "call centre feed", "marketing export", "event stream"),
        "Handover": ("operating manual", "quality targets", "training material", "support agreement"),
    }),
    ProjectPlan("jira", "DWH", "Reporting warehouse", OPERATIONS, 0.14, {
        "Source feeds": ("ledger feed", "loan feed", "customer feed", "feed monitoring"),
        "Data model": ("account dimension", "product hierarchy", "currency conversion", "history rules"),
        "Regulatory reports": ("liquidity report", "large exposure report", "plausibility checks", "filing calendar"),
        "Management reports": ("branch scorecard", "cost report", "portfolio overview", "report catalogue"),
        "Self service": ("analyst workspace", "query guide", "access requests", "sample queries"),
        "Retirement of the old cube": ("usage inventory", "parallel run", "archive copy", "licence termination"),
    }, style="team", bot_admin=False),
    ProjectPlan("jira", "ARC", "Archive migration", OPERATIONS, 0.10, {
        "Inventory": ("document classes", "retention rules", "volume estimate", "legal holds"),
        "Target archive": ("storage contract", "index structure", "search screen", "access roles"),
        "Migration runs": ("pilot run", "checksum report", "error handling", "restart procedure"),
        "Verification": ("sampling plan", "auditor walkthrough", "completeness report", "sign-off sheet"),
        "Shutdown": ("old archive freeze", "media disposal", "contract end", "lessons learned"),
        "Access for branches": ("viewer roll-out", "retrieval form", "response times", "help page"),
    }, parked=0.34),
    ProjectPlan("jira", "LOAN", "Digital loan desk", GROWTH, 0.16, {
        "Application form": ("income section", "document upload", "save and resume", "plausibility hints"),
        "Credit decision": ("score card", "referral rules", "decision letter", "override log"),
        "Contract": ("contract template", "electronic signature", "cooling-off process", "copy to archive"),
        "Payout": ("payout order", "collateral check", "first instalment date", "customer confirmation"),
        "Advisor desk": ("work queue", "appointment booking", "case notes", "handover to branch"),
        "Roll-out": ("pilot branches", "advisor training", "marketing launch", "success metrics"),
    }),
    ProjectPlan("asana", "BRAND", "Brand refresh", GROWTH, 0.15, {
        "Research": ("customer interviews", "competitor review", "brand audit", "findings workshop"),
        "Identity": ("logo variants", "type selection", "colour palette", "image style"),
        "Guidelines": ("brand book", "tone of voice guide", "template set", "partner rules"),
        "Website": ("home page copy", "photo shoot", "accessibility check", "redirect list"),
        "Branches": ("signage order", "window displays", "staff name badges", "opening weekend plan"),
        "Campaign": ("media plan", "television spot", "social media calendar", "launch event"),
    }),
    ProjectPlan("asana", "HQ", "Head office move", OPERATIONS, 0.42, {
        "Building": ("lease contract", "floor plan", "fire safety approval", "landlord handover"),
        "Fit-out": ("furniture order", "meeting room booking system", "canteen concept", "acoustic panels"),
        "Technology": ("network cabling", "badge system", "video rooms", "printer locations"),
        "People": ("seating plan", "staff information day", "works council agreement", "parking rules"),
        "Move": ("moving company tender", "packing instructions", "move weekend roster", "lost property desk"),
        "Old site": ("dilapidation survey", "furniture donation", "final inspection", "mail redirection"),
    }, bot_admin=False),
    ProjectPlan("asana", "ONB", "New employee onboarding", OPERATIONS, 0.13, {
        "Before day one": ("welcome letter", "equipment request", "account set-up", "buddy programme"),
        "First week": ("arrival checklist", "compliance training", "team introduction", "security briefing"),
        "First ninety days": ("goal template", "feedback talks", "learning path", "probation review"),
        "Managers": ("manager guide", "hiring calendar", "role profiles", "interview training"),
        "Systems": ("human resources portal", "training catalogue", "access matrix", "onboarding survey"),
        "Measurement": ("retention figures", "time to productivity", "exit interviews", "quarterly report"),
    }, has_owner=False),
    ProjectPlan("asana", "EVT", "Annual customer conference", GROWTH, 0.16, {
        "Venue": ("hall contract", "stage design", "catering order", "hotel allotment"),
        "Programme": ("keynote speakers", "workshop tracks", "panel discussion", "evening event"),
        "Attendance": ("invitation list", "registration page", "ticket desk", "name badges"),
        "Sponsors": ("sponsor packages", "exhibition plan", "sponsor contracts", "logo wall"),
        "On site": ("crew roster", "signposting", "first aid plan", "live stream"),
        "Follow-up": ("thank-you letter", "recordings", "attendee survey", "budget closing"),
    }),
    ProjectPlan("asana", "SUS", "Sustainability reporting", DIGITAL, 0.12, {
        "Materiality": ("stakeholder survey", "topic list", "board workshop", "materiality matrix"),
        "Data collection": ("energy data", "travel data", "supplier questionnaire", "paper use"),
        "Carbon balance": ("emission factors", "branch estimates", "financed emissions", "plausibility review"),
        "Targets": ("reduction path", "action list", "cost estimate", "approval by the board"),
        "Report": ("chapter drafts", "figures and charts", "translation", "layout"),
        "Assurance": ("auditor selection", "evidence folder", "control descriptions", "audit meetings"),
    }, bot_admin=False, private=True),
)  # fmt: skip

VERBS: tuple[tuple[str, str], ...] = (
    ("Draft the {}", "Agree the {} with the owners"),
    ("Collect requirements for the {}", "Set up the {}"),
    ("Prepare the {}", "Review and sign off the {}"),
    ("Build the {}", "Test the {}"),
)
STEPS = ("Gather input", "Write the first version", "Check with legal", "Work in the comments", "File the result")
DETAILS = ("Call the contact person", "Update the checklist")

PEOPLE = (
    "Hanna Weber", "Jonas Richter", "Zoë Fränkel", "Łukasz Wójcik", "Amara Okafor", "Priya Raman", "Mateo García",
    "Ingrid Larsen", "Tom Becker", "Chloé Lefèvre", "David Stein", "Nguyễn Minh Anh", "Sara Lindqvist", "Omar Haddad",
    "Julia Krämer", "Peter Novák", "Elif Demir", "Marcus Hale", "Søren Østergaard", "Katrin Vogel", "Ben Carter",
    "Lucia Romano", "Anton Petrov", "Mira Patel", "Felix Braun", "Grace Mbeki", "José Núñez", "Helen Fischer",
    "Ravi Kumar", "Nora Schmidt", "Paul Wagner", "Yuki Tanaka", "Clara Jansen", "Erik Holm", "Fatima Zahra",
    "Simon Keller", "Olga Ivanova", "Daniel Roth", "Maria Santos", "Victor Hugo Lima",
)  # fmt: skip
INACTIVE = (17, 29, 38)
"""Places in `PEOPLE` of those who have left."""
