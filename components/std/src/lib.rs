//! Pure components: flow, text, number, record, group.
