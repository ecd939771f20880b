//! Digest of an event: what its hash covers.

use sha2::{Digest, Sha256};

use super::Entry;

impl Entry {
    /// What `hash` must be. Each field is written with its length before it, so that no two records share a text.
    #[must_use]
    pub fn digest(&self) -> Vec<u8> {
        let Self {
            id,
            format,
            at,
            kind,
            aggregate,
            aggregate_id,
            link,
            version,
            arrangement_id,
            lot_id,
            provider_id,
            application_id,
            audience,
            actor,
            role,
            authority,
            acting_for,
            request,
            from_state,
            to_state,
            data,
            previous,
            hash: _,
        } = self;
        let mut sha = Sha256::new();
        let mut put = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
            // What is absent differs from what is empty: no field has this length.
            None => sha.update(u64::MAX.to_be_bytes()),
        };
        let mut field = |bytes: &[u8]| put(Some(bytes));
        field(&format.to_be_bytes());
        field(id.0.as_bytes());
        field(&at.0.micros().to_be_bytes());
        field(aggregate_id.0.as_bytes());
        field(&link.to_be_bytes());
        field(&version.to_be_bytes());
        for text in [kind, aggregate, audience, actor, role, to_state, &data.0] {
            field(text.as_bytes());
        }
        for text in [authority, request, from_state] {
            put(text.as_deref().map(str::as_bytes));
        }
        for id in [arrangement_id, lot_id, provider_id, application_id, acting_for] {
            put(id.as_ref().map(|id| id.0.as_bytes().as_slice()));
        }
        put(previous.as_deref());
        sha.finalize().to_vec()
    }
}
