//! Scenarios: the shipped ones hold what they say, and mistakes are named with file, line and what was expected.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::path::Path;

use breakwater_experiments::scenario::{
    Overrides, PARAMETERS, Parameter, Prepared, Scenario, ScenarioError, Source,
};

fn shipped(name: &str) -> String {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml")),
    )
    .unwrap()
}

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::read(&Source::new(Path::new("x.toml"), text.to_owned()))
}

/// The error of the shipped scenario with one text replaced by another.
fn mistake(from: &str, to: &str) -> String {
    let text = shipped("black-thursday");
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let error = read(&text)
        .and_then(|scenario| scenario.prepare(&Overrides::default()).map(|_| ()))
        .unwrap_err()
        .to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

fn prepare(name: &str, overrides: &Overrides) -> Prepared {
    Scenario::read(&Source::find(name).unwrap())
        .unwrap()
        .prepare(overrides)
        .unwrap()
}

#[test]
fn shipped_scenarios_hold_their_events() {
    let run = prepare("black-thursday", &Overrides::default());
    let low = run
        .input
        .prices
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    assert_eq!(run.input.prices.len(), 7201);
    // The low falls between two blocks.
    assert!(
        (low / run.input.prices[0] - 0.494).abs() < 0.005,
        "the fall of 51%: {low}"
    );
    assert!(
        run.input.gas_gwei.iter().copied().fold(0.0, f64::max) >= 200.0,
        "gas of 200 gwei and more"
    );
    assert_eq!(
        (run.input.accounts.len(), run.input.start),
        (1000, 1_583_996_400)
    );
    assert_eq!(run.parameters.feed.delay, 3600);
    assert!(
        (
            run.parameters.venue.depth,
            run.parameters.venue.pass_through,
            run.parameters.venue.recovery_half_life
        ) == (2.0, 0.5, 300.0)
    );
    assert!(run.left_out.is_empty() && run.notes.is_empty() && run.input.depth.is_empty());

    let run = prepare("may-19", &Overrides::default());
    let low = run
        .input
        .prices
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    assert!((low / 1888.0 - 1.0).abs() < 0.005, "{low}");
    assert!(run.input.gas_gwei.iter().copied().fold(0.0, f64::max) > 1500.0);
    assert_eq!(run.input.accounts.len(), 1000);
}

#[test]
fn the_readme_documents_every_parameter() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let row = |parameter: &Parameter| {
        let range = parameter
            .range
            .map(|(low, high)| format!("{low} to {high}"))
            .unwrap_or_default();
        format!(
            "| `{}` | {} | {range} |\n",
            parameter.key, parameter.meaning
        )
    };
    let table: String = PARAMETERS.iter().map(row).collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters.md");
    std::fs::write(&path, &table).unwrap();
    assert!(
        readme.contains(&table),
        "README.md lacks the table of parameters, which is in {}",
        path.display()
    );
}

#[test]
fn seeds_and_blocks_change_what_they_should() {
    let overrides = |seed, blocks| Overrides {
        seed,
        blocks,
        ..Overrides::default()
    };
    let first = prepare("black-thursday", &overrides(Some(1), Some(50)));
    let again = prepare("black-thursday", &overrides(Some(1), Some(50)));
    let other = prepare("black-thursday", &overrides(Some(2), Some(50)));
    let longer = prepare("black-thursday", &overrides(Some(1), Some(60)));
    assert_eq!(
        (&first.input_hash, &first.configuration_hash),
        (&again.input_hash, &again.configuration_hash)
    );
    assert_ne!(first.input_hash, other.input_hash);
    assert_ne!(first.configuration_hash, other.configuration_hash);
    assert_eq!(
        first.input.prices,
        longer.input.prices[..51],
        "a longer run begins alike"
    );
    let seed = other
        .settings
        .iter()
        .find(|each| each.key == "run.seed")
        .unwrap();
    assert_eq!(
        (seed.value.as_str(), seed.source.as_str()),
        ("2", "command line")
    );
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    assert_eq!(
        mistake("pass_through = ", "pas_trough = "),
        format!(
            "x.toml: line {}: unknown key `pas_trough`, the nearest known key is `pass_through`",
            line("pass_through = ")
        )
    );
    assert_eq!(
        mistake("[venue]", "[venu]"),
        format!(
            "x.toml: line {}: unknown key `venu`, the nearest known key is `venue`",
            line("[venue]")
        )
    );
    assert_eq!(
        mistake("floor = 86.0", "flor = 86.0"),
        format!(
            "x.toml: line {}: unknown key `flor`, the nearest known key is `floor`",
            line("floor = 86.0")
        ),
        "also inside a table whose form depends on its source"
    );
    assert!(
        mistake("seed = 1", "seed = 1\nsed = 1")
            .contains("unknown key `sed`, the nearest known key is `seed`")
    );
}

/// The line of the shipped scenario that holds a text.
fn line(text: &str) -> String {
    let number = shipped("black-thursday")
        .lines()
        .position(|line| line.contains(text))
        .unwrap();
    (number + 1).to_string()
}

#[test]
fn mistakes_are_named_with_their_line() {
    let expected = format!(
        "x.toml: line {}: venue.pass_through is 1.5, expected 0 to 1",
        line("pass_through = ")
    );
    assert_eq!(
        mistake("pass_through = 0.5", "pass_through = 1.5"),
        expected
    );
    assert!(
        mistake("fee = 3000", "fee = 1234")
            .contains("venue.fee is 1234, expected 500, 3000 or 10000")
    );
    assert!(
        mistake("borrow_ltv = 0.8", "borrow_ltv = 0.83")
            .contains("collateral.borrow_ltv is 0.83, expected less than")
    );
    assert!(
        mistake("slippage_margin = 0.0", "slippage_margin = 0.2")
            .contains("expected LT·(1 + bmax)·(1 + σ) = 1.0458 to be at most")
    );
    // What the pool refuses to list is refused before anything is deployed.
    for (value, mistaken, said) in [
        (
            "max_bonus = 0.05",
            "max_bonus = 0.21",
            "collateral.max_bonus is 0.21, expected 0 to 0.2",
        ),
        (
            "confirmation_band = 0.05",
            "confirmation_band = 0.06",
            "collateral.confirmation_band is 0.06, expected 0 to 0.05",
        ),
        (
            "liquidation_threshold = 0.83\nmax_bonus = 0.05\nslippage_margin = 0.0\nconfirmation_band = 0.05",
            "liquidation_threshold = 0.98\nmax_bonus = 0.01\nslippage_margin = 0.0\nconfirmation_band = 0.0",
            "collateral.liquidation_threshold is 0.98, expected at most 1/1.03",
        ),
        (
            "max_bonus = 0.05",
            "max_bonus = 0.02",
            "collateral.slippage_margin is 0, expected (1 + bmax)·(1 + σ) = 1.0200 to be at least 1.03",
        ),
    ] {
        let found = mistake(value, mistaken);
        assert!(found.contains(said), "{found}");
    }
    assert!(mistake("top_up_share = 0.1", "top_up_share = 0.9").contains("sum to at most 1"));
    assert!(mistake("floor = 86.0", "floor = 90.0").contains(&format!(
        "line {}: prices.floor is 90",
        line("floor = 86.0")
    )));
    assert!(mistake("count = 3", "").contains("missing field `count`"));
    assert!(
        mistake("count = 3", "count = \"three\"").contains(&format!("line {}", line("count = 3")))
    );
    assert!(
        mistake("count = 3", "count = 3 3").contains(&format!("line {}", line("count = 3"))),
        "not TOML at all"
    );
    assert!(
        mistake("deviation = 0.005", "deviation = nan")
            .contains("feed.deviation is nan, expected 0 to 0.5")
    );
    assert!(mistake("blocks = 7200", "blocks = 7300").contains("covers 7201 blocks"));
}

#[test]
fn what_the_damped_policy_cannot_be_names_the_key() {
    let damped = |value: &str| mistake("[venue]", &format!("[damped]\n{value}\n\n[venue]"));
    for (value, said) in [
        (
            "slippage_margin = -0.05",
            "damped.slippage_margin is -0.05, expected 0 to 0.5",
        ),
        (
            "slippage_margin = 0.55",
            "damped.slippage_margin is 0.55, expected 0 to 0.5",
        ),
        (
            "target_health = 1.0",
            "damped.target_health is 1.0, expected 1.0001 to 2",
        ),
        (
            "confirmation_seconds = 3601",
            "damped.confirmation_seconds is 3601, expected 1 to 3600",
        ),
        (
            "slippage_margins = 0.02",
            "unknown key `slippage_margins`, the nearest known key is `slippage_margin`",
        ),
        (
            "liquidation_gas = 10000001",
            "damped.liquidation_gas is 10000001, expected 0 to 10000000",
        ),
    ] {
        let error = damped(value);
        assert!(error.contains(said), "{error}");
    }
    // What is no value of the key at all is found by its line.
    let place: usize = line("[venue]").parse().unwrap();
    assert_eq!(
        damped("breaker = 0"),
        format!(
            "x.toml: line {}: invalid type: integer `0`, expected a boolean",
            place + 1
        )
    );
}

#[test]
fn unknown_scenarios_name_the_nearest_one() {
    let error = Source::find("black-thirsday").unwrap_err().to_string();
    assert_eq!(
        error,
        "unknown scenario `black-thirsday`: expected one of black-thursday, dai-spike, may-19, loop-depeg, toxic-short, stable-depeg, oct-10, oracle-misset, worthless, persistent-30, grind, adversary, manipulator, or a .toml file (nearest: `black-thursday`)"
    );
    assert!(matches!(
        Source::find("nowhere.toml"),
        Err(ScenarioError::Unreadable { .. })
    ));
    assert!(matches!(
        Source::find("/"),
        Err(ScenarioError::Unreadable { .. })
    ));
}

#[test]
fn files_that_end_with_the_last_block_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.csv");
    let rows: String = (0..10)
        .map(|bar| format!("{},100,110,90,105\n", 1_583_996_400 + 60 * bar))
        .collect();
    std::fs::write(&path, format!("timestamp,open,high,low,close\n{rows}")).unwrap();
    let overrides = |blocks| Overrides {
        prices: Some(path.clone()),
        blocks: Some(blocks),
        ..Overrides::default()
    };
    let run = prepare("black-thursday", &overrides(50));
    assert_eq!(
        (
            run.input.prices.len(),
            run.input.prices[50],
            run.input.start
        ),
        (51, 105.0, 1_583_996_400)
    );
    let scenario = Scenario::read(&Source::find("black-thursday").unwrap()).unwrap();
    assert!(
        scenario
            .prepare(&overrides(51))
            .unwrap_err()
            .to_string()
            .contains("covers 50 blocks")
    );
}

#[test]
fn a_file_of_another_day_is_played_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.csv");
    std::fs::write(
        &path,
        "timestamp,open,high,low,close\n6000,100,110,90,105\n6060,105,105,100,100\n",
    )
    .unwrap();
    let overrides = Overrides {
        prices: Some(path),
        blocks: Some(5),
        ..Overrides::default()
    };
    let run = prepare("black-thursday", &overrides);
    assert_eq!((run.input.start, run.input.prices[0]), (6000, 100.0));
    assert!(run.notes.iter().any(|note| note.contains("own beginning")));
}

#[test]
fn accounts_keep_their_ltv_and_take_the_scenario_s_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.csv");
    std::fs::write(
        &path,
        "user,total_debt_usd,total_collateral_usd\na,50,100\nb,90,100\nc,30,300\n",
    )
    .unwrap();
    let overrides = Overrides {
        accounts: Some(path.clone()),
        blocks: Some(5),
        ..Overrides::default()
    };
    let run = prepare("black-thursday", &overrides);
    let price = run.input.prices[0];
    let [a, c] = run.input.accounts[..] else {
        panic!("two accounts")
    };
    assert!(
        (a.debt / (a.collateral * price) - 0.5).abs() < 1e-12
            && (c.debt / (c.collateral * price) - 0.1).abs() < 1e-12
    );
    assert!((a.collateral + c.collateral - 100_000.0).abs() < 1e-6);
    assert_eq!((run.left_out.len(), run.left_out[0].row), (1, 3));
    assert!(run.left_out[0].reason.contains("above the LTV"));
    std::fs::write(&path, "account,collateral,debt\na,1,50\n").unwrap();
    let run = prepare("black-thursday", &overrides);
    assert!(
        (run.input.accounts[0].debt / run.input.accounts[0].collateral - 50.0).abs() < 1e-9,
        "tokens are not divided by the price"
    );
}

#[test]
fn reserves_set_the_depth() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reserves.csv");
    std::fs::write(
        &path,
        "timestamp,DAI,WETH\n1583996400,1,50000\n1583996460,1,25000\n",
    )
    .unwrap();
    let overrides = Overrides {
        depth: Some(path),
        blocks: Some(10),
        ..Overrides::default()
    };
    let run = prepare("black-thursday", &overrides);
    assert!(
        (run.parameters.venue.depth - 0.5).abs() < 1e-9,
        "50,000 over 100,000"
    );
    assert!((run.input.depth[0], run.input.depth[5]) == (1.0, 0.5));
    assert_eq!(run.input.depth.len(), 11);
    let setting = run
        .settings
        .iter()
        .find(|each| each.key == "venue.depth")
        .unwrap();
    assert_eq!(
        (setting.value.as_str(), setting.source.as_str()),
        ("0.500000", "from the depth above")
    );
}

#[test]
fn parameters_of_the_optional_tables_are_read() {
    let text = shipped("may-19").replace("[collateral]", "[depth]\nsource = \"profile\"\nknots = [{ seconds = 0, multiple = 4.0 }, { seconds = 600, multiple = 0.4 }]\n\n[native_prices]\nsource = \"gbm\"\ninitial = 10.0\nvolatility_per_year = 0.5\n\n[collateral]");
    let run = read(&text)
        .unwrap()
        .prepare(&Overrides {
            blocks: Some(50),
            ..Overrides::default()
        })
        .unwrap();
    assert!(
        (run.parameters.venue.depth - 4.0).abs() < 1e-9 && (run.input.depth[50] - 0.1).abs() < 1e-9
    );
    assert!(
        (run.input.native_prices[0] - 10.0).abs() < 1e-12
            && run.input.native_prices[1] != run.input.prices[1]
    );
    for setting in &run.settings {
        assert!(Parameter::of(&setting.key).is_some(), "{}", setting.key);
    }
}

#[test]
fn the_readme_s_scenario_runs_as_it_stands() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let text = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let run = read(text).unwrap().prepare(&Overrides::default()).unwrap();
    assert_eq!(
        (
            run.input.prices.len(),
            run.input.prices[300],
            run.input.accounts.len()
        ),
        (601, 1400.0, 200)
    );
    let depth = run
        .settings
        .iter()
        .find(|each| each.key == "prices.source")
        .unwrap();
    assert_eq!(depth.source, "or file, gbm, jump-diffusion, regime");
}

#[test]
fn parts_of_the_damped_policy_can_be_switched() {
    use breakwater_sim::config::BucketMode;
    let text = shipped("may-19") + "\n[damped]\nbucket_mode = \"off\"\nobeys_pause = false\n";
    let overrides = Overrides {
        blocks: Some(5),
        ..Overrides::default()
    };
    let run = read(&text).unwrap().prepare(&overrides).unwrap();
    assert_eq!(
        (
            run.parameters.damped.bucket_mode,
            run.parameters.damped.obeys_pause
        ),
        (Some(BucketMode::Off), Some(false))
    );
    let plain = prepare("may-19", &overrides);
    assert_eq!(plain.parameters.damped.bucket_mode, None);
    assert_ne!(run.configuration_hash, plain.configuration_hash);
    let error = read(&text.replace("bucket_mode", "bucket_mod"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("unknown key `bucket_mod`, the nearest known key is `bucket_mode`"),
        "{error}"
    );
    let error = read(&text.replace("\"off\"", "\"shut\""))
        .unwrap_err()
        .to_string();
    assert!(error.contains("unknown variant `shut`"), "{error}");
}

#[test]
fn what_may_befall_a_run_is_read_as_the_readme_writes_it() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks: Vec<toml::Table> = readme
        .split("```toml\n")
        .skip(1)
        .map(|rest| toml::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let [mut scenario, befalls, backstop] = <[_; 3]>::try_from(blocks).unwrap();
    for (name, value) in befalls.into_iter().chain(backstop) {
        match (scenario.get_mut(&name), value) {
            (Some(toml::Value::Table(table)), toml::Value::Table(more)) => table.extend(more),
            (_, value) => {
                scenario.insert(name, value);
            }
        }
    }
    let run = read(&toml::to_string(&scenario).unwrap())
        .unwrap()
        .prepare(&Overrides::default())
        .unwrap();
    let parameters = &run.parameters;
    assert_eq!(parameters.feed.written(1_200, 100.0), Some(97.15));
    assert_eq!(parameters.feed.written(3_600, 100.0), None);
    assert_eq!(parameters.network.missed_share(600), 0.5);
    assert!(parameters.noise.is_some() && parameters.adversary.is_some());
    // What the README says of a backstop are the defaults.
    let default = breakwater_sim::config::BackstopParameters::with_capital(0.1);
    assert_eq!(parameters.backstop, Some(default));
    assert!(run.settings.iter().all(|each| !each.meaning.is_empty()));
}

#[test]
fn a_shock_lowers_what_the_collateral_costs_from_its_time_on() {
    let prices = |shock: &str| {
        let text = shipped("may-19").replace("[gas]", &format!("{shock}\n\n[gas]"));
        let overrides = Overrides {
            blocks: Some(60),
            ..Overrides::default()
        };
        let run = read(&text).unwrap().prepare(&overrides);
        run.map(|run| (run.input.prices, run.input.native_prices))
    };
    let (plain, _) = prices("").unwrap();
    // 600 seconds are 50 slots; 601 begin with the 51st.
    for (at, first) in [(600, 50), (601, 51), (0, 0)] {
        let (shocked, native) = prices(&format!("[shock]\nfall = 0.25\nat = {at}")).unwrap();
        for block in 0..plain.len() {
            let share = if block < first { 1.0 } else { 0.75 };
            assert_eq!(shocked[block], plain[block] * share, "{at}: {block}");
        }
        assert_eq!(native, shocked);
    }
    assert_eq!(
        prices("[shock]\nfall = 0.25").unwrap().0,
        prices("[shock]\nfall = 0.25\nat = 600").unwrap().0
    );
    let late = prices("[shock]\nfall = 0.25\nat = 721").unwrap_err();
    assert!(
        late.to_string()
            .contains("shock.at is 721, expected within the run, which takes 720 seconds"),
        "{late}"
    );
}

#[test]
fn what_cannot_befall_a_run_names_the_line() {
    let feed = line("deviation = 0.005");
    for (added, said) in [
        (
            "errors = [{ from = 9, until = 9, ratio = 0.1 }]",
            "feed.errors[0].until is 9, expected more than its `from`, 9",
        ),
        (
            "errors = [{ from = 0, until = 9, ratio = -1.0 }]",
            "feed.errors[0].ratio is -1, expected above -1 and at most 10",
        ),
        (
            "outages = [{ from = 0, until = 9 }, { from = 5, until = 1 }]",
            "feed.outages[1].until is 1, expected more than its `from`, 5",
        ),
        (
            "believed_for = 0",
            "feed.believed_for is 0, expected 1 to 2592000",
        ),
    ] {
        let error = mistake("deviation = 0.005", &format!("{added}\ndeviation = 0.005"));
        assert_eq!(error, format!("x.toml: line {feed}: {said}"));
    }
    let error = mistake(
        "demand_elasticity = 1.5",
        "demand_elasticity = 1.5\nmissed = [{ from = 0, until = 9, share = 1.0 }]",
    );
    assert!(error.ends_with("network.missed[0].share is 1, expected 0 to 0.95"));
    let error = mistake(
        "[borrowers]",
        "[noise]\nhourly_volume = 1.0\ntrade = 0.7\n\n[borrowers]",
    );
    assert!(
        error.ends_with("noise.trade is 0.7, expected 0.000001 to 0.5"),
        "{error}"
    );
    let error = mistake(
        "[borrowers]",
        "[adversary]\nstrategy = \"predater\"\ncapital = 1.0\npatience = 1\npush = 0.0\n\n[borrowers]",
    );
    assert!(
        error.contains("`predater`") && error.contains("predator"),
        "{error}"
    );
}
