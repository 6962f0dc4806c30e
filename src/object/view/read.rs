//! How the reading model is read, and what of it is more than a field.

use std::collections::BTreeMap;
use std::fmt;

use super::super::yaml::in_words;
use super::{
    ClaimResources, ClaimSpec, ClaimTemplate, OwnerReference, Raw, Spec, StatefulSet, Text,
    UpdateStrategy,
};

impl<'a> StatefulSet<'a> {
    /// Reads a StatefulSet from its JSON text.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let set = serde_path_to_error::deserialize(&mut json)?;
        json.end().map_err(|error| ParseError {
            at: String::new(),
            error,
        })?;
        Ok(set)
    }

    /// The owner that manages this set, if one does.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference<'a>> {
        self.metadata
            .owner_references
            .iter()
            .find(|owner| owner.controller)
    }
}

impl<'a> Spec<'a> {
    /// The update strategy, as the API server would fill it in.
    #[must_use]
    pub fn update_strategy(&self) -> UpdateStrategy<'a> {
        self.stated_update_strategy.clone().unwrap_or_default()
    }
}

impl<'a> ClaimTemplate<'a> {
    /// What is asked for; nothing where that cannot be read, which is for the API server to say.
    #[must_use]
    pub fn asks(&self) -> ClaimSpec<'a> {
        serde_json::from_str(self.spec.text()).unwrap_or_default()
    }
}

impl ClaimResources<'_> {
    /// The size that is asked for, as it was written; none where there is none. Whatever stands in its place nests nothing.
    #[must_use]
    pub fn storage(&self) -> Option<String> {
        let requests: BTreeMap<Text<'_>, Raw<'_>> =
            serde_json::from_str(self.requests.text()).unwrap_or_default();
        match requests.get(&Text::from("storage"))?.text() {
            "null" => None,
            text if text.starts_with('"') => serde_json::from_str(text).ok(),
            other => Some(other.to_owned()),
        }
    }
}

/// Why a text is not a StatefulSet.
#[derive(Debug)]
pub struct ParseError {
    /// The place in the object, such as `spec.template.spec.containers[0].ports`; empty for the object itself.
    pub at: String,
    /// What is wrong there.
    pub error: serde_json::Error,
}

impl ParseError {
    /// The place as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.at.split(['.', '[']).filter(|step| !step.is_empty()) {
            pointer.push('/');
            pointer.push_str(step.trim_end_matches(']'));
        }
        pointer
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        // Line and column are those of a text that nobody but us has seen.
        let message = self.error.to_string();
        f.write_str(&in_words(
            message.split(" at line ").next().unwrap_or(&message),
        ))
    }
}

impl std::error::Error for ParseError {}

impl From<serde_path_to_error::Error<serde_json::Error>> for ParseError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let at = error.path().to_string();
        Self {
            // The path to the top is spelt `.`, and that to a key which is not there yet ends in `?`.
            at: at.trim_end_matches(['.', '?']).to_owned(),
            error: error.into_inner(),
        }
    }
}
