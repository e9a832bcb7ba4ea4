//! What each argument of the function stands for.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Error, FnArg, GenericArgument, Ident, Pat, PatType, PathArguments, Result, Type};

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
    pub(crate) passed: Passed,
    pub(crate) helpers: Helpers,
}

/// What it is for.
pub(crate) enum Role {
    /// The one input of a plain function.
    Driving(Type),
    In(Type),
    Ins(Type),
    Out(Type),
    Outs(Type),
    Param(Type),
    /// `Param<Option<T>>`
    Maybe(Type),
    Table(Type, Type),
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
        let (role, passed) = classify(&typed.ty, is_async)?;
        let mut helpers = Helpers::take(&mut typed.attrs)?;
        let about = about(&role, &ident, &mut helpers)?;
        let port = match &helpers.port {
            Some(port) => port.value().to_uppercase(),
            None => port_name(&ident),
        };
        let argument = Self {
            ident,
            port,
            about,
            role,
            passed,
            helpers,
        };
        argument.check(typed)?;
        Ok(argument)
    }

    pub(crate) const fn is_driving(&self) -> bool {
        matches!(self.role, Role::Driving(_))
    }

    pub(crate) const fn is_output(&self) -> bool {
        matches!(self.role, Role::Out(_) | Role::Outs(_))
    }

    pub(crate) const fn is_array(&self) -> bool {
        matches!(self.role, Role::Ins(_) | Role::Outs(_))
    }

    pub(crate) const fn is_param(&self) -> bool {
        matches!(self.role, Role::Param(_) | Role::Maybe(_))
    }

    /// Neither port nor parameter.
    pub(crate) const fn is_inner(&self) -> bool {
        matches!(self.role, Role::Table(..) | Role::Timer)
    }

    fn check(&self, typed: &PatType) -> Result<()> {
        let helpers = &self.helpers;
        if let Some((span, _)) = helpers.default
            && !matches!(self.role, Role::Param(_))
        {
            return Err(Error::new(
                span,
                "only a `Param<T>` that is not an `Option` has a default",
            ));
        }
        if let Some(span) = helpers.optional
            && (self.is_param() || self.is_inner())
        {
            let message = "only a port is `#[optional]`; a parameter that may be left out is `Param<Option<T>>`";
            return Err(Error::new(span, message));
        }
        if let Some(size) = &helpers.fixed
            && !self.is_array()
        {
            return Err(Error::new_spanned(
                size,
                "only an array port, `Ins<T>` or `Outs<T>`, has a fixed size",
            ));
        }
        if self.is_driving() && helpers.optional.is_some() {
            return Err(Error::new_spanned(
                &typed.pat,
                "a plain function cannot do without its input",
            ));
        }
        Ok(())
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

fn about(role: &Role, ident: &Ident, helpers: &mut Helpers) -> Result<String> {
    let what = match role {
        Role::Timer => return Ok(String::new()),
        Role::Table(..) => "table",
        Role::Param(_) | Role::Maybe(_) => "parameter",
        _ => "port",
    };
    let missing = || {
        let message = format!("{what} `{ident}` needs a doc comment: it becomes its description");
        Error::new(ident.span(), message)
    };
    helpers.doc.take().ok_or_else(missing)
}

fn classify(ty: &Type, is_async: bool) -> Result<(Role, Passed)> {
    let (inner, passed) = match ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            (&*reference.elem, Passed::Mut)
        }
        Type::Reference(reference) => (&*reference.elem, Passed::Ref),
        _ => (ty, Passed::Value),
    };
    let role = role(inner)?;
    match complaint(&role, passed, is_async) {
        Some(message) => Err(Error::new_spanned(ty, message)),
        None => Ok((role, passed)),
    }
}

/// What is wrong with taking such an argument in this way.
fn complaint(role: &Role, passed: Passed, is_async: bool) -> Option<&'static str> {
    if is_async {
        return match role {
            Role::Driving(_) => Some(
                "an `async fn` takes `In`, `Ins`, `Out`, `Outs`, `Param`, `Table` and `Timer`; \
                 write `In<T>` to receive this",
            ),
            _ if passed != Passed::Value => {
                Some("an `async fn` owns its arguments: leave out the `&`")
            }
            _ => None,
        };
    }
    match (role, passed) {
        (Role::In(_) | Role::Ins(_), _) => Some(
            "a plain function takes the value itself; to receive from a port, make it an `async fn`",
        ),
        (Role::Driving(_), Passed::Ref | Passed::Mut) => {
            Some("a plain function takes its input by value")
        }
        (Role::Out(_) | Role::Outs(_) | Role::Table(..), Passed::Value | Passed::Ref) => {
            Some("a plain function is called many times: take this as `&mut`")
        }
        (Role::Param(_) | Role::Maybe(_) | Role::Timer, Passed::Mut) => {
            Some("this never changes: take it as `&`")
        }
        _ => None,
    }
}

/// The role by the last segment of the type's path.
fn role(ty: &Type) -> Result<Role> {
    let Type::Path(path) = ty else {
        return Ok(Role::Driving(ty.clone()));
    };
    let Some(segment) = path.path.segments.last() else {
        return Ok(Role::Driving(ty.clone()));
    };
    let types = type_arguments(&segment.arguments);
    let word = segment.ident.to_string();
    Ok(match (word.as_str(), types.as_slice()) {
        ("In", [carried]) => Role::In(carried.clone()),
        ("Ins", [carried]) => Role::Ins(carried.clone()),
        ("Out", [carried]) => Role::Out(carried.clone()),
        ("Outs", [carried]) => Role::Outs(carried.clone()),
        ("Param", [value]) => param(value),
        ("Table", [key, row]) => Role::Table(key.clone(), row.clone()),
        ("Timer", []) => Role::Timer,
        ("In" | "Ins" | "Out" | "Outs" | "Param", _) => {
            return Err(Error::new_spanned(
                ty,
                format!("write `{word}<T>`, with the type it carries"),
            ));
        }
        ("Table", _) => {
            return Err(Error::new_spanned(
                ty,
                "write `Table<K, V>`, with key and row",
            ));
        }
        _ => Role::Driving(ty.clone()),
    })
}

fn param(value: &Type) -> Role {
    if let Type::Path(path) = value
        && let Some(segment) = path.path.segments.last()
        && segment.ident == "Option"
        && let [inner] = type_arguments(&segment.arguments).as_slice()
    {
        return Role::Maybe(inner.clone());
    }
    Role::Param(value.clone())
}

fn type_arguments(arguments: &PathArguments) -> Vec<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    types.collect()
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
                format!("there is already a {}", argument.port),
            ));
        }
    }
    Ok(())
}
