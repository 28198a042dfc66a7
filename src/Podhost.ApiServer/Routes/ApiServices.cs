using Microsoft.Extensions.Logging;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.Metrics;
using Podhost.ApiServer.Proxying;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.Streaming;

namespace Podhost.ApiServer.Routes;

/// <summary>What the handlers of resource requests work with.</summary>
internal sealed record ApiServices(
    ApiServerOptions Options,
    ObjectStore Store,
    Strategies Strategies,
    AdmissionChain Admission,
    Creator Creator,
    Updater Updater,
    Deleter Deleter,
    Conversions Conversions,
    Lister Lister,
    Watches Watches,
    IReadOnlyList<IReviewHandler> Reviews,
    IPodConnector? Connector,
    ObjectProxy Proxy,
    TimeProvider Time,
    Random Random,
    UsageRates Rates,
    ILogger Log);
