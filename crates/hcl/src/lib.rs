//! HCL 1 and its JSON variant as Vault reads them, with positions.
