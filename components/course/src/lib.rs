//! The takeaway's desks: the business components of the order flow.
