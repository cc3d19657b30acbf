//! Every key: what it is called, what it may be, what it is by default, what it means. Reading, the example and the
//! reference table all come from here.

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A list of 1 to 8 addresses of nodes; may carry credentials and is never repeated in a message.
    Urls,
    /// A whole number from the first to the second, both allowed.
    Integer(u64, u64),
    /// A number from the first to the second, both allowed.
    Number(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A path.
    Path,
    /// A contract's address, 20 bytes in hexadecimal.
    Address,
    /// An IP address and a port.
    Socket,
    /// A list of host names or IP addresses without port.
    Hosts,
    /// Directives of `tracing`'s `EnvFilter`.
    Filter,
}

/// Whether a key must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must; the example shows this.
    Required(&'static str),
    /// It need not, and is this.
    Default(&'static str),
    /// It need not, and is then absent; the example shows this, commented out.
    Optional(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// `section.key`.
    pub key: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be given. Values are in TOML's notation.
    pub presence: Presence,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

const fn setting(
    key: &'static str,
    kind: Kind,
    presence: Presence,
    meaning: &'static str,
) -> Setting {
    Setting {
        key,
        kind,
        presence,
        meaning,
    }
}

/// Sections in the order of the example, with what they are about.
const SECTIONS: &[(&str, &str)] = &[
    ("chain", "Which chain and how it is read."),
    (
        "account",
        "Who sends. Keys and passwords never stand in this file.",
    ),
    ("strategy", "What is worth sending."),
    ("state", "What is kept on disk."),
    ("http", "What is served."),
    ("log", "What is written."),
];

/// Every key, in the order of the example.
pub const SETTINGS: &[Setting] = {
    use Kind::{Address, Choice, Filter, Flag, Hosts, Integer, Number, Path, Socket, Urls};
    use Presence::{Default, Optional, Required};
    &[
        setting(
            "chain.rpc_urls",
            Urls,
            Required("[\"http://127.0.0.1:8545\"]"),
            "Nodes, the preferred one first; http, https, ws or wss. In the environment separated by commas.",
        ),
        setting(
            "chain.chain_id",
            Integer(1, u64::MAX >> 1),
            Required("31337"),
            "The chain's number (EIP-155). A node that answers another is refused.",
        ),
        setting(
            "chain.manifest",
            Path,
            Required("\"manifest.json\""),
            "The manifest that `breakwater deploy` wrote.",
        ),
        setting(
            "chain.backstop",
            Address,
            Optional("\"0x00000000000000000000000000000000000000b5\""),
            "The backstop (`BackstopPool`) of the manifest's system, where the manifest names none: the keeper absorbs, settles and buys inventory through it.",
        ),
        setting(
            "chain.slot_seconds",
            Integer(1, 600),
            Default("12"),
            "Time between blocks, seconds.",
        ),
        setting(
            "chain.request_timeout_ms",
            Integer(100, 60_000),
            Default("5000"),
            "How long one request to a node may take, milliseconds.",
        ),
        setting(
            "chain.poll_interval_ms",
            Integer(50, 60_000),
            Default("1000"),
            "How often a node is asked for its head, milliseconds.",
        ),
        setting(
            "chain.max_head_age_seconds",
            Integer(2, 86_400),
            Default("60"),
            "A head that did not change for longer is stale and `/ready` says so, seconds. At least two slots.",
        ),
        setting(
            "account.keystore",
            Path,
            Optional("\"keystore.json\""),
            "Encrypted keystore (Web3 Secret Storage, version 3). Its password comes from BREAKWATER_KEYSTORE_PASSWORD, `password_file`, or a prompt. Left out where BREAKWATER_PRIVATE_KEY holds the key.",
        ),
        setting(
            "account.password_file",
            Path,
            Optional("\"password.txt\""),
            "File whose first line is the keystore's password; nobody but its owner may be able to read it.",
        ),
        setting(
            "account.min_balance",
            Number(0.0, 1e9),
            Default("0.05"),
            "Balance below which a warning is shown, native tokens.",
        ),
        setting(
            "strategy.capital",
            Choice(&["flash", "inventory"]),
            Default("\"flash\""),
            "With what it repays: `flash`, proceeds of what it seizes, no capital needed; `inventory`, debt tokens that the account holds.",
        ),
        setting(
            "strategy.min_profit",
            Number(0.0, 1e12),
            Default("1.0"),
            "The least expected profit net of gas for which it acts, whole debt tokens.",
        ),
        setting(
            "strategy.risk_margin",
            Number(0.0, 0.5),
            Default("0.002"),
            "Margin for what prices may do before inclusion, as a share of the repayment.",
        ),
        setting(
            "strategy.max_gas_price_gwei",
            Number(0.001, 1e6),
            Default("2000"),
            "The most it pays for gas, base fee and tip together, gwei.",
        ),
        setting(
            "strategy.competitors",
            Integer(0, 1_000),
            Default("2"),
            "How many other keepers it reckons with.",
        ),
        setting(
            "state.directory",
            Path,
            Default("\"state\""),
            "Where snapshot, journal and ledger are kept; one keeper a directory.",
        ),
        setting(
            "http.listen",
            Socket,
            Default("\"127.0.0.1:9464\""),
            "Where health, metrics and pages are served; port 0 lets the system choose.",
        ),
        setting(
            "http.allow_non_loopback",
            Flag,
            Default("false"),
            "Allows `listen` to be an address that other machines reach. There is no password: whoever reaches it reads everything.",
        ),
        setting(
            "http.allowed_hosts",
            Hosts,
            Default("[]"),
            "Names or addresses, without port, by which the service may be called beside `localhost`, `127.0.0.1` and `[::1]`. In the environment separated by commas.",
        ),
        setting(
            "log.format",
            Choice(&["text", "json"]),
            Default("\"text\""),
            "One line for people, or one JSON object a line.",
        ),
        setting(
            "log.filter",
            Filter,
            Default("\"info\""),
            "What is logged: a level, or directives such as `info,breakwater_sender=debug`.",
        ),
    ]
};

impl Setting {
    /// The section and the key in it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.key.split_once('.').unwrap_or((self.key, ""))
    }

    /// The environment variable that overrides it: `chain.rpc_urls` is `BREAKWATER_CHAIN__RPC_URLS`.
    #[must_use]
    pub fn variable(&self) -> String {
        let (section, key) = self.parts();
        format!("BREAKWATER_{section}__{key}").to_uppercase()
    }

    /// What a value must be, in words.
    pub(super) fn expected(&self) -> String {
        match self.kind {
            Kind::Urls => "a list of 1 to 8 http, https, ws or wss addresses".to_owned(),
            Kind::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Kind::Number(low, high) => format!("a number from {low} to {high}"),
            Kind::Choice(words) => words
                .iter()
                .map(|word| format!("\"{word}\""))
                .collect::<Vec<_>>()
                .join(" or "),
            Kind::Flag => "true or false".to_owned(),
            Kind::Path => "a path that is not empty".to_owned(),
            Kind::Address => "an address, 0x and 40 hexadecimal digits, not zero".to_owned(),
            Kind::Socket => "an IP address with a port, such as 127.0.0.1:9464".to_owned(),
            Kind::Hosts => "a list of host names or IP addresses without port".to_owned(),
            Kind::Filter => {
                "a log level or directives such as info,breakwater_rpc=debug".to_owned()
            }
        }
    }
}

/// A commented file with every key, that parses: required keys with a local chain's values, the others at their default.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# A keeper's configuration. Any key can be overridden from the environment: chain.rpc_urls by BREAKWATER_CHAIN__RPC_URLS.\n# Paths are relative to this file.\n",
    );
    for (section, about) in SECTIONS {
        text.push_str(&format!("\n# {about}\n[{section}]\n"));
        for setting in SETTINGS
            .iter()
            .filter(|setting| setting.parts().0 == *section)
        {
            let name = setting.parts().1;
            let line = match setting.presence {
                Presence::Required(value) | Presence::Default(value) => format!("{name} = {value}"),
                Presence::Optional(value) => format!("# {name} = {value}"),
            };
            text.push_str(&format!("# {}\n{line}\n", setting.meaning));
        }
    }
    text
}

/// The reference as a Markdown table.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from("| key | value | default | meaning |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let default = match setting.presence {
            Presence::Required(_) => "required".to_owned(),
            Presence::Default(value) => format!("`{value}`"),
            Presence::Optional(_) => "none".to_owned(),
        };
        text.push_str(&format!(
            "| `{}` | {} | {default} | {} |\n",
            setting.key,
            setting.expected(),
            setting.meaning
        ));
    }
    text
}
