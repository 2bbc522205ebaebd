//! Shares and a sealed value made by a real OpenBao 2.7.2, initialised with `-key-shares=5 -key-threshold=3` for this test
//! alone and thrown away.

use coffer_crypto::{Aes256Key, shamir};

/// `unseal_keys_hex` of `bao operator init -format=json`.
const SHARES: [&str; 5] = [
    "c7ef3f751d6691f32cbeb58f4a8d000429da811e6dfa690a00181772080d0eea33",
    "768714419598c91ecd83e8a45c8baea1a8308437b0648d59030d2d103e4fb79c6e",
    "eff1328d8d8330c28d2c3d0ee0617a7594b8994fd1b4ec110100823fb5bd5b23d9",
    "abed649e84cf4d087c95c489bafac9b14c2de6ed3840d5e3df5b85ae73c2a8d2cd",
    "e07f460dd892bc57f7d315ca172f4e1acf23e530e5edec59a69ddfcbe25628265a",
];

/// What that server stored at `core/hsm/barrier-unseal-keys`, without the two bytes of protobuf before it: its root key as
/// a JSON list, sealed with AES-256-GCM (nonce first, no associated data) under the key that the shares hold.
const SEALED_ROOT_KEY: &str = "99a76dcfead4352e24140c0fc6aeccfaf0e5ec0fb6ba3ae75d4614aaedc73d220359d63ef70461513f\
                               566f7dd39c1a6d97c11add0e189893a0754e6996de92ef0e9aec5d0c009d7fe38ba73a";

#[test]
fn any_three_shares_open_what_the_server_sealed() {
    let shares: Vec<Vec<u8>> = SHARES
        .iter()
        .map(|share| hex::decode(share).unwrap())
        .collect();
    let sealed = hex::decode(SEALED_ROOT_KEY).unwrap();
    for chosen in (0..1u32 << 5).filter(|chosen| chosen.count_ones() >= 3) {
        let some: Vec<_> = (0..5)
            .filter(|at| chosen >> at & 1 == 1)
            .map(|at| &shares[at])
            .collect();
        let key = Aes256Key::from_slice(&shamir::combine(&some).unwrap()).unwrap();
        let root_keys: Vec<String> =
            serde_json::from_slice(&key.open(b"", &sealed).unwrap()).unwrap();
        // One key of 32 bytes in base64.
        assert_eq!(root_keys.iter().map(String::len).collect::<Vec<_>>(), [44]);
    }
}

#[test]
fn two_shares_open_nothing() {
    let shares = [
        hex::decode(SHARES[0]).unwrap(),
        hex::decode(SHARES[1]).unwrap(),
    ];
    let key = Aes256Key::from_slice(&shamir::combine(&shares).unwrap()).unwrap();
    assert!(
        key.open(b"", &hex::decode(SEALED_ROOT_KEY).unwrap())
            .is_err()
    );
}
