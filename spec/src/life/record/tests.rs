use super::next_enterprise;
use crate::wire::hash::{Hash, sha256};

#[test]
fn the_enterprise_chain_depends_on_order_and_members() {
    let (a, b) = (sha256(&[b"a"]), sha256(&[b"b"]));
    let start = Hash([0; 32]);
    let ab = next_enterprise(&next_enterprise(&start, &a), &b);
    let ba = next_enterprise(&next_enterprise(&start, &b), &a);
    assert_ne!(ab, ba);
    assert_ne!(ab, next_enterprise(&start, &b));
}
