//! Which price holds for a call: that of the file, else the one that is known, else that of the service's list.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Price, ProviderIdentity};
use crate::provider::{ModelInfo, known_price};

use super::Member;

/// The prices of every provider of a run.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    services: HashMap<String, ServicePrices>,
}

#[derive(Debug, Clone)]
struct ServicePrices {
    identity: ProviderIdentity,
    written: BTreeMap<String, Price>,
    listed: HashMap<String, Price>,
}

impl Prices {
    /// What is known of these without asking anyone.
    pub fn of(members: &[Member]) -> Self {
        let services = members.iter().map(|member| {
            let prices = ServicePrices {
                identity: member.provider.identity().clone(),
                written: member.settings.prices.clone(),
                listed: HashMap::new(),
            };
            (member.settings.name.clone(), prices)
        });
        Self { services: services.collect() }
    }

    /// Takes in what a provider's list of models says.
    pub fn add_list(&mut self, provider: &str, models: &[ModelInfo]) {
        let Some(service) = self.services.get_mut(provider) else { return };
        let named = models.iter().flat_map(|model| {
            let names = std::iter::once(&model.name).chain(&model.aliases);
            names.filter_map(|name| Some((name.clone(), model.price?)))
        });
        // A name of its own goes before another's alias.
        for (name, price) in named {
            service.listed.entry(name).or_insert(price);
        }
        for model in models {
            if let Some(price) = model.price {
                service.listed.insert(model.name.clone(), price);
            }
        }
    }

    /// The price of a model of a provider, for texts or for pictures.
    pub fn find(&self, provider: &str, model: Option<&str>, is_image: bool) -> Option<Price> {
        let service = self.services.get(provider)?;
        let named = |prices: Option<&Price>| prices.copied();
        let written = named(model.and_then(|model| service.written.get(model)));
        let listed = || named(model.and_then(|model| service.listed.get(model)));
        // What has no price for pictures may still count the tokens of one.
        written
            .filter(|price| price.is_known_for(is_image))
            .or_else(|| known_price(&service.identity, model))
            .or_else(listed)
            .or(written)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Amount, Currency, ProviderSettings};
    use crate::provider::{self, HttpClient};

    fn price(image: u64) -> Price {
        Price { currency: Currency::Pollen, image: Some(Amount(image)), ..Price::default() }
    }

    fn model(name: &str, aliases: &[&str], image: u64) -> ModelInfo {
        let aliases = aliases.iter().map(|name| (*name).to_owned()).collect();
        ModelInfo { name: name.to_owned(), makes: vec![], description: None, aliases, price: Some(price(image)) }
    }

    fn prices(written: &[(&str, u64)]) -> Prices {
        let written = written.iter().map(|(name, image)| ((*name).to_owned(), price(*image))).collect();
        let settings = ProviderSettings { prices: written, ..ProviderSettings::built_in("pollinations").unwrap() };
        let provider = provider::build(&settings, &HttpClient::new()).unwrap();
        Prices::of(&[Member { settings, provider: Arc::clone(&provider) }])
    }

    #[test]
    fn the_file_goes_before_the_list_and_a_name_before_an_alias() {
        let mut prices = prices(&[("flux", 1)]);
        assert_eq!(prices.find("pollinations", Some("kontext"), true), None);
        prices.add_list("pollinations", &[model("new", &["flux", "old"], 2), model("old", &[], 3)]);
        for (name, image) in [("flux", 1), ("new", 2), ("old", 3)] {
            assert_eq!(prices.find("pollinations", Some(name), true), Some(price(image)), "{name}");
        }
        assert_eq!(prices.find("pollinations", None, true), None);
        assert_eq!(prices.find("nobody", Some("flux"), true), None);
    }
}
