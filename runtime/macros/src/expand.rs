//! The code that a component function becomes.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Error, Ident, ItemFn, Result, ReturnType, Type};

use crate::arguments::{self, Argument, Passed, Role};
use crate::examples;
use crate::options::{self, Options, Order};

/// Expands `#[component(options)] item`.
pub(crate) fn component(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let mut function: ItemFn = syn::parse2(item)?;
    check_signature(&function)?;
    check_options(&options, &function)?;
    let core = core_path();
    let arguments = read_arguments(&mut function)?;
    let examples = examples::take(&mut function.attrs, &arguments, &core)?;
    let name = function.sig.ident.clone();
    let doc = options::doc(&function.attrs).ok_or_else(|| {
        let message = format!("component `{name}` needs a doc comment: it becomes its description");
        Error::new(name.span(), message)
    })?;
    let is_plain = function.sig.asyncness.is_none();
    let spec = spec(&options, &doc, is_plain, &arguments, &examples, &core);
    let open = open(&function, &arguments, &core);
    let items = items(function, &name, &core);
    Ok(quote! {
        #items
        impl #core::Component for #name {
            fn spec(&self) -> &#core::Spec {
                static SPEC: ::std::sync::OnceLock<#core::Spec> = ::std::sync::OnceLock::new();
                SPEC.get_or_init(|| #spec)
            }

            fn open(
                &self,
                params: &#core::Params,
            ) -> ::std::result::Result<::std::boxed::Box<dyn #core::Activity>, #core::Fault> {
                #open
            }
        }
    })
}

/// The core crate as the user's crate names it: directly, or through the facade.
fn core_path() -> TokenStream {
    let directory = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let manifest = std::fs::read_to_string(Path::new(&directory).join("Cargo.toml"));
    if manifest.is_ok_and(|text| text.contains("paperflow-core")) {
        quote!(::paperflow_core)
    } else {
        quote!(::paperflow::paperflow_core)
    }
}

fn check_signature(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a component function has no generics",
        ));
    }
    if let Some(clause) = &signature.generics.where_clause {
        return Err(Error::new_spanned(
            clause,
            "a component function has no generics",
        ));
    }
    if let Some(word) = &signature.unsafety {
        return Err(Error::new_spanned(word, "a component function is safe"));
    }
    if let Some(dots) = &signature.variadic {
        return Err(Error::new_spanned(
            dots,
            "a component function has named arguments only",
        ));
    }
    Ok(())
}

/// What only an `async fn` can say of itself.
fn check_options(options: &Options, function: &ItemFn) -> Result<()> {
    if function.sig.asyncness.is_some() {
        return Ok(());
    }
    let said = [
        (
            options.passes_over,
            "a plain function does not learn that a reader has left; only an `async fn` `passes_over` it",
        ),
        (
            options.forgets,
            "a plain function has nothing but its tables from one packet to the next; only an `async fn` `forgets`",
        ),
        (
            options.reads.as_ref().map(|reads| reads.span),
            "a plain function takes packets from one port; only an `async fn` `reads` several",
        ),
    ];
    let mut refused = said
        .into_iter()
        .filter_map(|(span, why)| Some(Error::new(span?, why)));
    refused.next().map_or(Ok(()), Err)
}

/// Reads every argument and reports what is wrong with any of them.
fn read_arguments(function: &mut ItemFn) -> Result<Vec<Argument>> {
    let is_async = function.sig.asyncness.is_some();
    let mut read = Vec::new();
    let mut errors: Option<Error> = None;
    for argument in &mut function.sig.inputs {
        match (Argument::read(argument, is_async), &mut errors) {
            (Ok(argument), _) => read.push(argument),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), None) => errors = Some(error),
        }
    }
    errors.map_or(Ok(()), Err)?;
    arguments::check_names(&read)?;
    let mut driving = read
        .iter()
        .filter(|argument| argument.role == Role::Driving);
    match (driving.next(), driving.next()) {
        (_, Some(second)) => {
            let message = "a plain function has one input; to take from several ports, make it an \
                           `async fn` with `In<T>` arguments";
            Err(Error::new(second.ident.span(), message))
        }
        (None, _) if !is_async => {
            let message = "a plain function is called once per packet and needs an input, taken by \
                           value; to run without one, make it an `async fn`";
            Err(Error::new(function.sig.ident.span(), message))
        }
        _ => Ok(read),
    }
}

/// The type, the function that names it, and the user's function as its `call`.
fn items(mut function: ItemFn, name: &Ident, core: &TokenStream) -> TokenStream {
    let visibility = function.vis.clone();
    let is_doc = |attribute: &&Attribute| attribute.path().is_ident("doc");
    let docs: Vec<_> = function.attrs.iter().filter(is_doc).cloned().collect();
    function.attrs.retain(|attribute| !is_doc(&attribute));
    function.sig.ident = Ident::new("call", name.span());
    quote! {
        #(#docs)*
        #visibility fn #name() -> &'static dyn #core::Component {
            &#name {}
        }

        #(#docs)*
        #[allow(non_camel_case_types, reason = "a component is named like the function it is written as")]
        #[derive(Clone, Copy, Debug)]
        #visibility struct #name {}

        impl #name {
            /// The function itself.
            #[allow(clippy::too_many_arguments, reason = "every port is an argument")]
            #[inline]
            #function
        }
    }
}

fn spec(
    options: &Options,
    doc: &str,
    is_plain: bool,
    arguments: &[Argument],
    examples: &[TokenStream],
    core: &TokenStream,
) -> TokenStream {
    let name = &options.name;
    let work = if options.compute {
        quote!(Compute)
    } else {
        quote!(Thread)
    };
    let must_run = options.must_run.then(|| quote!(.must_run()));
    let again = options.again.then(|| quote!(.again()));
    let repeats = options.repeats.then(|| quote!(.repeats()));
    let plain = is_plain.then(|| quote!(.plain()));
    let idempotent = options.idempotent.then(|| quote!(.idempotent()));
    let renews = options.renews.then(|| quote!(.renews()));
    let forgets = options.forgets.map(|_| quote!(.forgets()));
    let passes_over = options.passes_over.map(|_| quote!(.passes_over()));
    let order = |order: &Order| order.word.clone();
    let reads = options.reads.as_ref().map(order);
    let reads = reads.map(|word| quote!(.reads(#core::Reads::#word)));
    let sends = options.sends.as_ref().map(order);
    let sends = sends.map(|word| quote!(.sends(#core::Sends::#word)));
    let settle = options.settle.as_ref().map(order);
    let settle = settle.map(|word| quote!(.settle(#core::settle::Settle::#word)));
    let parts = arguments.iter().map(|argument| part(argument, core));
    quote! {
        #core::Spec::new(#name, #doc).work(#core::Work::#work) #must_run #again #repeats #plain
            #idempotent #renews #forgets #passes_over #reads #sends #settle #(#parts)* #(.example(#examples))*
    }
}

/// What an argument adds to the spec.
fn part(argument: &Argument, core: &TokenStream) -> TokenStream {
    let Argument {
        port, about, types, ..
    } = argument;
    match argument.role {
        Role::In | Role::Ins => {
            let port = port_spec(
                argument,
                &quote!(#(<#types as #core::receive::Receive>)*),
                core,
            );
            quote!(.input(#port))
        }
        Role::Driving => {
            let port = port_spec(argument, &quote!(#(<#types as #core::Value>)*), core);
            quote!(.input(#port))
        }
        Role::Out | Role::Outs if port != "ERROR" => {
            let port = port_spec(argument, &quote!(#(<#types as #core::Value>)*), core);
            quote!(.output(#port))
        }
        Role::Param | Role::Maybe => param_spec(argument, core),
        Role::Table => quote!(.table(#port, #about)),
        Role::Out | Role::Outs | Role::Timer => TokenStream::new(),
    }
}

fn port_spec(argument: &Argument, carried: &TokenStream, core: &TokenStream) -> TokenStream {
    let Argument {
        port,
        about,
        helpers,
        ..
    } = argument;
    let array = match &helpers.fixed {
        Some(size) => quote!(.fixed(#size)),
        None if argument.is_array() => quote!(.array()),
        None => TokenStream::new(),
    };
    let optional = helpers.optional.map(|_| quote!(.optional()));
    let at_end = helpers.at_end.map(|_| quote!(.at_end()));
    let afresh = helpers.afresh.map(|_| quote!(.afresh()));
    quote!(#core::PortSpec::new(#port, #about, #carried::kinds()) #array #optional #at_end #afresh)
}

fn param_spec(argument: &Argument, core: &TokenStream) -> TokenStream {
    let Argument {
        port,
        about,
        types,
        helpers,
        ..
    } = argument;
    let optional = argument.role == Role::Maybe;
    let keeps = helpers.keeps.is_some();
    let default = match &helpers.default {
        Some((_, text)) => quote!(::std::option::Option::Some(#text.into())),
        None => quote!(::std::option::Option::None),
    };
    quote!(.param(#core::ParamSpec {
        name: #port.into(),
        about: #about.into(),
        parses: #(<#types as #core::Parameter>)*::PARSES.into(),
        default: #default,
        optional: #optional,
        keeps: #keeps,
    }))
}

/// The body of `Component::open`: every handle is resolved once.
fn open(function: &ItemFn, arguments: &[Argument], core: &TokenStream) -> TokenStream {
    let is_async = function.sig.asyncness.is_some();
    let names: Vec<Ident> = (0..arguments.len())
        .map(|at| format_ident!("argument{at}"))
        .collect();
    let handles = arguments.iter().zip(&names).map(|(argument, name)| {
        let handle = handle(argument, core);
        let is_mut = (argument.passed == Passed::Mut && !argument.is_output()).then(|| quote!(mut));
        quote!(let #is_mut #name = #handle;)
    });
    let run = if is_async {
        quote!(#core::looper(async move { #core::Outcome::outcome(Self::call(#(#names),*).await) }))
    } else {
        plain(function, arguments, &names, core)
    };
    quote!(#(#handles)* ::std::result::Result::Ok(#run))
}

fn handle(argument: &Argument, core: &TokenStream) -> TokenStream {
    let Argument { port, types, .. } = argument;
    let method = match argument.role {
        Role::Driving | Role::In => quote!(input),
        Role::Ins => quote!(inputs),
        Role::Out => quote!(output),
        Role::Outs => quote!(outputs),
        Role::Param => quote!(param),
        Role::Maybe => quote!(optional),
        Role::Table => quote!(table),
        Role::Timer => return quote!(params.timer()),
    };
    let handle = quote!(params.#method::<#(#types),*>(#port)?);
    if argument.role == Role::Maybe {
        quote!(#core::Param::new(#handle))
    } else {
        handle
    }
}

/// The out-ports move into the activity, which lends them room for a batch of calls; everything else
/// moves into the closure.
fn plain(
    function: &ItemFn,
    arguments: &[Argument],
    names: &[Ident],
    core: &TokenStream,
) -> TokenStream {
    let passed = arguments
        .iter()
        .zip(names)
        .map(|(argument, name)| match argument.passed {
            Passed::Value if argument.role == Role::Driving => quote!(value),
            Passed::Value => quote!(::std::clone::Clone::clone(&#name)),
            Passed::Ref => quote!(&#name),
            Passed::Mut if argument.is_output() => quote!(#name),
            Passed::Mut => quote!(&mut #name),
        });
    let call = quote!(Self::call(#(#passed),*));
    let fallible = is_fallible(&function.sig.output);
    let body = if fallible {
        quote!(#core::Outcome::outcome(#call))
    } else {
        quote!({ #call; ::std::result::Result::Ok(()) })
    };
    let named = || arguments.iter().zip(names);
    let input = named()
        .filter(|(argument, _)| argument.role == Role::Driving)
        .map(|(_, name)| name);
    let ports = named()
        .filter(|(argument, _)| argument.is_output())
        .map(|(_, name)| name)
        .rev()
        .fold(quote!(()), |rest, name| quote!((#name, #rest)));
    quote!(#core::plain::<#fallible, _, _>(#(&#input,)* #ports, move |value, #ports| #body))
}

/// Whether it returns anything but nothing.
fn is_fallible(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => !matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}
