//! Component name to component.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::component::Component;
use crate::spec::Spec;

/// A visible list of components, by name, with the other names they are known by.
#[derive(Clone, Default)]
pub struct Catalogue {
    components: BTreeMap<String, Arc<dyn Component>>,
    aliases: BTreeMap<String, String>,
}

impl Catalogue {
    /// An empty catalogue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, component: impl Component + 'static) -> Self {
        let name = component.spec().name.clone();
        self.components.insert(name, Arc::new(component));
        self
    }

    /// Lets a component be found under another name, such as its classic one.
    #[must_use]
    pub fn alias(mut self, alias: &str, name: &str) -> Self {
        self.aliases.insert(alias.to_owned(), name.to_owned());
        self
    }

    /// Adds everything another catalogue has.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.components.extend(other.components);
        self.aliases.extend(other.aliases);
        self
    }

    /// The component of that name or alias.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Component>> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        self.components.get(name)
    }

    /// Every component, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Component>> {
        self.components.values()
    }

    /// Every spec, by name.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.components.values().map(|component| component.spec())
    }

    /// Other names, with the component each stands for.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases
            .iter()
            .map(|(alias, name)| (alias.as_str(), name.as_str()))
    }
}
