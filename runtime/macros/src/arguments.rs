//! What each argument of the function stands for.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Error, FnArg, GenericArgument, Ident, LitInt, Pat, PathArguments, Result, Type};

use crate::options::Helpers;

/// One argument.
pub(crate) struct Argument {
    /// As the function calls it.
    pub(crate) ident: Ident,
    /// In capitals.
    pub(crate) port: String,
    /// Its documentation.
    pub(crate) about: String,
    pub(crate) role: Role,
    /// What the role is of: carried, read or kept types.
    pub(crate) types: Vec<Type>,
    pub(crate) passed: Passed,
    pub(crate) helpers: Helpers,
}

/// What it is for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// The one input of a plain function.
    Driving,
    In,
    Ins,
    Out,
    Outs,
    Param,
    /// `Param<Option<T>>`
    Maybe,
    Table,
    Timer,
}

/// How the function takes it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Passed {
    Value,
    Ref,
    Mut,
}

impl Argument {
    /// Reads it, and takes its attributes off.
    pub(crate) fn read(argument: &mut FnArg, is_async: bool) -> Result<Self> {
        let FnArg::Typed(typed) = argument else {
            return Err(Error::new_spanned(
                argument,
                "a component is a free function, without `self`",
            ));
        };
        let ident = name(&typed.pat)?;
        let (role, types, passed) = classify(&typed.ty, is_async)?;
        let mut helpers = Helpers::take(&mut typed.attrs)?;
        let about = about(role, &ident, &mut helpers)?;
        let port = match &helpers.port {
            Some(port) => port.value().to_uppercase(),
            None => port_name(&ident),
        };
        let argument = Self {
            ident,
            port,
            about,
            role,
            types,
            passed,
            helpers,
        };
        argument.check(is_async)?;
        Ok(argument)
    }

    pub(crate) const fn is_output(&self) -> bool {
        matches!(self.role, Role::Out | Role::Outs)
    }

    pub(crate) const fn is_array(&self) -> bool {
        matches!(self.role, Role::Ins | Role::Outs)
    }

    pub(crate) const fn is_param(&self) -> bool {
        matches!(self.role, Role::Param | Role::Maybe)
    }

    /// Neither port nor parameter.
    pub(crate) const fn is_inner(&self) -> bool {
        matches!(self.role, Role::Table | Role::Timer)
    }

    /// Whether its attributes make sense.
    fn check(&self, is_async: bool) -> Result<()> {
        let Helpers {
            default,
            optional,
            fixed,
            at_end,
            afresh,
            keeps,
            ..
        } = &self.helpers;
        let is_port = !self.is_param() && !self.is_inner();
        let is_param = self.role == Role::Param;
        let complaints = [
            (
                default.as_ref().map(|(span, _)| *span),
                !is_param,
                "only a `Param<T>` that is not an `Option` has a default",
            ),
            (
                *optional,
                self.role == Role::Driving,
                "a plain function cannot do without its input",
            ),
            (
                *optional,
                !is_port,
                "only a port is `#[optional]`; a parameter that may be left out is `Param<Option<T>>`",
            ),
            (
                fixed.as_ref().map(LitInt::span),
                !self.is_array(),
                "only an array port, `Ins<T>` or `Outs<T>`, has a fixed size",
            ),
            (
                *at_end,
                !self.is_output() || !is_async,
                "only an `async fn` has out-ports where it sends `at_end`",
            ),
            (
                *afresh,
                !self.is_output(),
                "only an out-port sends something `afresh`",
            ),
            (
                *keeps,
                !is_param,
                "only a `Param<bool>` `keeps` what was written before",
            ),
        ];
        let wrong = complaints.into_iter().filter(|(_, is_wrong, _)| *is_wrong);
        let mut errors = wrong.filter_map(|(span, _, text)| Some(Error::new(span?, text)));
        errors.next().map_or(Ok(()), Err)
    }
}

fn name(pattern: &Pat) -> Result<Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            Ok(name.ident.clone())
        }
        _ => Err(Error::new_spanned(
            pattern,
            "an argument is a plain name: it is also the port's name",
        )),
    }
}

fn port_name(ident: &Ident) -> String {
    match ident.unraw().to_string().trim_start_matches('_') {
        "input" | "inputs" => String::from("IN"),
        "outs" => String::from("OUT"),
        name => name.to_uppercase(),
    }
}

fn about(role: Role, ident: &Ident, helpers: &mut Helpers) -> Result<String> {
    let what = match role {
        Role::Timer => return Ok(String::new()),
        Role::Table => "table",
        Role::Param | Role::Maybe => "parameter",
        _ => "port",
    };
    let missing = || {
        let message = format!("{what} `{ident}` needs a doc comment: it becomes its description");
        Error::new(ident.span(), message)
    };
    helpers.doc.take().ok_or_else(missing)
}

fn classify(ty: &Type, is_async: bool) -> Result<(Role, Vec<Type>, Passed)> {
    let (inner, passed) = match ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            (&*reference.elem, Passed::Mut)
        }
        Type::Reference(reference) => (&*reference.elem, Passed::Ref),
        _ => (ty, Passed::Value),
    };
    let (role, types) = role(inner)?;
    match complaint(role, passed, is_async) {
        Some(message) => Err(Error::new_spanned(ty, message)),
        None => Ok((role, types, passed)),
    }
}

/// What is wrong with taking such an argument in this way.
const fn complaint(role: Role, passed: Passed, is_async: bool) -> Option<&'static str> {
    let message = match (is_async, role, passed) {
        (true, Role::Driving, _) => {
            "an `async fn` takes `In`, `Ins`, `Out`, `Outs`, `Param`, `Table` and `Timer`; write \
             `In<T>` to receive this"
        }
        (true, _, Passed::Ref | Passed::Mut) => {
            "an `async fn` owns its arguments: leave out the `&`"
        }
        (false, Role::In | Role::Ins, _) => {
            "a plain function takes the value itself; to receive from a port, make it an `async fn`"
        }
        (false, Role::Driving, Passed::Ref | Passed::Mut) => {
            "a plain function takes its input by value"
        }
        (false, Role::Out | Role::Outs | Role::Table, Passed::Value | Passed::Ref) => {
            "a plain function is called many times: take this as `&mut`"
        }
        (false, Role::Param | Role::Maybe | Role::Timer, Passed::Mut) => {
            "this never changes: take it as `&`"
        }
        _ => return None,
    };
    Some(message)
}

/// The role by the last segment of the type's path, and the types in its angle brackets.
fn role(ty: &Type) -> Result<(Role, Vec<Type>)> {
    let Some((word, types)) = generic(ty) else {
        return Ok((Role::Driving, vec![ty.clone()]));
    };
    let (role, count, written) = match word.to_string().as_str() {
        "In" => (Role::In, 1, "In<T>"),
        "Ins" => (Role::Ins, 1, "Ins<T>"),
        "Out" => (Role::Out, 1, "Out<T>"),
        "Outs" => (Role::Outs, 1, "Outs<T>"),
        "Param" => (Role::Param, 1, "Param<T>"),
        "Table" => (Role::Table, 2, "Table<K, V>"),
        "Timer" => (Role::Timer, 0, "Timer"),
        _ => return Ok((Role::Driving, vec![ty.clone()])),
    };
    if types.len() != count {
        return Err(Error::new_spanned(ty, format!("write `{written}`")));
    }
    match (role, types.first().and_then(generic)) {
        (Role::Param, Some((word, inner))) if word == "Option" => Ok((Role::Maybe, inner)),
        _ => Ok((role, types)),
    }
}

/// The last segment of a path, and the types in its angle brackets.
fn generic(ty: &Type) -> Option<(&Ident, Vec<Type>)> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Some((&segment.ident, Vec::new()));
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some((&segment.ident, types.collect()))
}

/// Two ports of one name and direction, or two tables, cannot be told apart.
pub(crate) fn check_names(arguments: &[Argument]) -> Result<()> {
    let side = |argument: &Argument| (argument.is_output(), argument.is_inner());
    for (at, argument) in arguments.iter().enumerate() {
        let same = |other: &&Argument| other.port == argument.port && side(other) == side(argument);
        if arguments[..at].iter().any(|other| same(&other)) {
            let token = argument.helpers.port.as_ref().map_or_else(
                || argument.ident.to_token_stream(),
                |port| port.to_token_stream(),
            );
            return Err(Error::new_spanned(
                token,
                format!("the name {} is already taken", argument.port),
            ));
        }
    }
    Ok(())
}
