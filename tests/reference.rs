//! The rule reference beside the rules is what the rules' own files say.

use std::fs;
use std::path::Path;

#[test]
fn the_rule_reference_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/README.md");
    let page = steadfast::report::reference::markdown(steadfast::rules::RULES);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &page).expect("the reference can be written");
    }
    let found = fs::read_to_string(&file).expect("the reference is there");
    assert!(
        found == page,
        "src/rules/README.md is stale: UPDATE=1 cargo test --test reference writes it anew"
    );
}
