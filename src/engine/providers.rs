//! Providers are made from their settings, and from what the environment says of them.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;

use crate::client::{Environment, Member};
use crate::model::{Failure, ProviderIdentity, ProviderSettings};
use crate::provider::{self, HttpClient, ModelInfo, Provider};

/// Everyone who may be asked.
///
/// # Errors
/// A provider that can't be spoken to as it is described.
pub(super) fn members(settings: &[ProviderSettings]) -> Result<Vec<Member>, Failure> {
    let (environment, http) = (Environment::process(), HttpClient::new());
    settings
        .iter()
        .map(|one| {
            let settings = environment.complete(one.clone());
            let provider = provider::build(&settings, &http)?;
            Ok(Member { settings, provider })
        })
        .collect()
}

/// What of each provider is part of a call's key, by its name.
pub(super) fn identities(members: &[Member]) -> HashMap<String, ProviderIdentity> {
    members.iter().map(|one| (one.settings.name.clone(), one.provider.identity().clone())).collect()
}

/// The models of a provider, as the service lists them.
///
/// # Errors
/// No key, no answer, or a provider that can't be spoken to as it is described.
pub async fn models(settings: &ProviderSettings) -> Result<Vec<ModelInfo>, Failure> {
    let members = members(std::slice::from_ref(settings))?;
    let member = &members[0];
    listed(&member.provider, &member.settings, &Environment::process()).await
}

/// The models that a provider lists.
pub(super) async fn listed(
    provider: &Arc<dyn Provider>,
    settings: &ProviderSettings,
    environment: &Environment,
) -> Result<Vec<ModelInfo>, Failure> {
    // A list of models is public at some services: a missing key is told by the service itself.
    let secret = environment.secret(settings).await.ok().flatten();
    let listed: Vec<Result<ModelInfo, Failure>> = provider.models(secret.as_ref()).collect().await;
    listed.into_iter().collect()
}
