"""Rows of evidence: the words of products, in sysDescr, in LLDP, CDP and DHCP, in models that devices announce and lists hold.

A brand that makes many things weighs little, the word for the thing more, the name of a series most. Series are those that
makers' own catalogues name; nothing here is a whole catalogue.
"""

from census.evidence import Rule, rows
from netready.device import Kind

_BRAND, _HINT, _WORD, _SERIES, _SURE = 4, 3, 6, 7, 9


def _says(kind: Kind, weight: int, patterns: str) -> tuple[Rule, ...]:
    return rows(kind, weight, "any", "says", *patterns.split(" | "))


_NETWORK: tuple[Rule, ...] = (
    # --- Access points, and the boxes that control them, which forward frames and are counted with the switches --------
    *_says(Kind.ACCESS_POINT, _SERIES, "*access point* | *accesspoint* | * wireless ap * | *cisco ap * | *hotzone*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "* air-ap* | * air-cap* | * air-lap* | * air-sap* | *aironet* | * c91[0-9][0-9]ax*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "* cisco ap[0-9]* | *ap[1-4]g[0-9]* | * c1[12][0-9]0 software * | * cw91[0-9]*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "*uap-* | * u[67]-* | *unifi u[67]* | *nanostation* | *nanobeam* | *airos*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "*arubaos model [1-6][0-9][0-9] * | *aruba ap-* | * ap-[1-7][0-9][0-9]* | * iap-*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "arubaap | arubainstantap | ruckus cpe* | *zoneflex* | *mist systems* | *fortiap*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "* meraki mr* | cambium-wifi-ap* | * eap[1-9][0-9][0-9]* | *rbcap* | *rbwap*"),
    *_says(Kind.ACCESS_POINT, _WORD, "*base station* | * wireless *bridge * | * ap * | *symbol ap[0-9]*"),
    *_says(Kind.ACCESS_POINT, _WORD, "* wireless ap-* | * ap[0-9]*-ap* | * workgroup bridge * | * airport* | timecapsule*"),
    *_says(Kind.ACCESS_POINT, _WORD, "*deliberant*"),
    *_says(Kind.ACCESS_POINT, _BRAND, "*ruckus wireless* | aerohive* | * foundry ap * | ubnt | * 802.11*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "*k9w[78]* | * nwa[1-9]* | * wax[1-9]* | * wac[1-9][0-9][0-9]* | * wndap* | * wnap*"),
    *_says(Kind.ACCESS_POINT, _SERIES, "* dap-[1-9]* | * dwl-[1-9]* | * wap[1-9]* | * msm[34]* | *litebeam* | *powerbeam*"),
    *_says(Kind.SWITCH, _SURE, "*air-ct* | *wireless controller* | *wireless lan controller* | *mobility controller*"),
    *_says(Kind.SWITCH, _SURE, "*wireless access controller* | cisco controller | * wlc[0-9]* | arubaos model aruba*"),
    *_says(Kind.SWITCH, _SURE, "*smartcell gateway* | *zonedirector* | *smartzone* | * msm7* | * h3c wx[1-9]* | * c9800*"),
    *_says(Kind.SWITCH, _SURE, "*symbol ws[0-9]*"),
    *_says(Kind.SWITCH, _HINT, "controller | * wac *"),
    # --- Switches ----------------------------------------------------------------------------------------------------
    *_says(Kind.SWITCH, _SURE, "*routing switch* | *router switch* | *ethernet switch* | *fortiswitch* | * meraki ms*"),
    *_says(Kind.SWITCH, 10, "*integrated switch* | *blade switch* | *switch blade*"),  # of a server's enclosure
    *_says(Kind.SWITCH, _SERIES, "* switch * | *-switch * | * swch * | *linkswitch* | *switches* | * smart switch*"),
    *_says(Kind.SWITCH, _SERIES, "*ws-c[1-9]* | *catalyst* | * cat[2-9]k* | * cat[2-9][0-9]00* | *nx-os* | * n[1-9]k-*"),
    *_says(Kind.SWITCH, _SERIES, "* c29[4-7][0-9]* | * c3[5-8][5-7][0-9]* | * c9[2-6]00* | * c1000* | * cbs[1-3]*"),
    *_says(Kind.SWITCH, _SERIES, "* s[fg][1-5][0-9][0-9]* | * ie-[1-5]* | *ironware* | *fastiron* | * icx* | *bigiron*"),
    *_says(Kind.SWITCH, _SERIES, "*edgeiron* | *netiron* | *extremexos* | *extremeware* | *summit* | * arista *"),
    *_says(Kind.SWITCH, _SERIES, "* ex[2349][0-9]00* | * qfx* | *dgs-[1-9]* | *des-[1-9]* | *dxs-[1-9]* | *powerconnect*"),
    *_says(Kind.SWITCH, _SERIES, "* gs[1-9][0-9][0-9]* | * xs[1-9][0-9][0-9]* | * fs[7-9][0-9][0-9]* | * xgs[1-9]*"),
    *_says(Kind.SWITCH, _SERIES, "* usw* | * us-[0-9]* | *jetstream*"),
    *_says(Kind.SWITCH, _SERIES, "* tl-s[fgx]* | * ers-[0-9]* | *baystack* | * aruba [jrs][0-9l][0-9w]* | *arubaos-cx*"),
    *_says(Kind.SWITCH, _SERIES, "*cumulus linux* | *superstack* | *alliedware* | * gsm[1-9]* | * hp v19[0-9]*"),
    *_says(Kind.SWITCH, _SERIES, "*dell networking* | *dell emc networking* | * m4[1-5]00-* | * srw[1-9]*"),
    *_says(Kind.SWITCH, _SERIES, "* t[1-3][5-7]00g*"),
    *_says(Kind.SWITCH, _SERIES, "*omniswitch* | * vdx* | *force10* | * os6[0-9]* | * lgs[1-9]*"),
    *_says(Kind.SWITCH, _SERIES, "*zxr10* | *enterasys* | *connectrix* | * c[23][0-9]00xl * | *intellijack*"),
    *_says(Kind.SWITCH, _SERIES, "* avaya inc*- [cpg][1-8][0-9]0*"),
    *_says(Kind.SWITCH, 11, "*ex[2-4][0-9]00-*"),  # an older JUNOS calls itself a router on these too
    *_says(Kind.SWITCH, 11, "*crs[1-5][0-9][0-9]-* | *css[1-6][0-9][0-9]*"),  # MikroTik's, with RouterOS on them
    *_says(Kind.SWITCH, _WORD, "*media converter* | * s[1-9][1-9][0-9][0-9]-[1-9]* | *fibre channel*"),
    *_says(Kind.SWITCH, _WORD, "*fabric interconnect*"),
    *_says(Kind.SWITCH, _HINT, "*procurve* | *prosafe* | *comware* | *officeconnect* | * hub *"),
    # --- Routers -----------------------------------------------------------------------------------------------------
    *_says(Kind.ROUTER, _SURE, "*internet router* | *secure router* | *router model* | *fritz!box* | * broadband router*"),
    *_says(Kind.ROUTER, 11, "*edge routing switch*"),  # Juniper's name for routers that serve broadband lines
    *_says(Kind.ROUTER, _SERIES, "* c1[789]00 * | * c2[68]00 * | * c2900 * | * c3[6789]00 * | * c7[235]00 * | * c8[0-9]0 *"),
    *_says(Kind.ROUTER, _SERIES, "* isr* | * asr[19]* | *linux_iosd* | * ios xr * | * ios-xr * | *csr1000v*"),
    *_says(Kind.ROUTER, _SERIES, "* cisco[1-3][89]*"),
    *_says(Kind.ROUTER, _SERIES, "*edgeos* | *edgerouter* | *vyos* | *vyatta* | * vigor* | *netvanta* | *netopia*"),
    *_says(Kind.ROUTER, _SERIES, "* prestige * | * p-[36][0-9][0-9]* | * a-msr* | * msr[1-9]* | * rv[0-9][0-9][0-9]*"),
    *_says(Kind.ROUTER, _SERIES, "* nortel sr * | * dir-[1-9]* | * rt-a[cx]* | *peplink* | *cradlepoint* | * er-[x1-9]*"),
    *_says(Kind.ROUTER, _HINT, "*openwrt* | *dd-wrt*"),
    *_says(Kind.ROUTER, _WORD, "* router * | *cable modem* | *adsl* | * dsl * | * isdn * | *routeros* | * archer *"),
    # --- Firewalls -----------------------------------------------------------------------------------------------------
    *_says(Kind.FIREWALL, _SURE, "*firewall* | *adaptive security* | *security appliance* | *firepower* | *fortigate*"),
    *_says(Kind.FIREWALL, _SURE, "*sonicwall* | *sonicos* | *netscreen* | *palo alto networks*"),
    *_says(Kind.FIREWALL, _SURE, "*security gateway* | *gateway security* | * ngfw* | *firebox* | *watchguard* | * ipso *"),
    *_says(Kind.FIREWALL, _SURE, "*srx[1-9 ]* | *vpn [1-9]000* | *vpn concentrator* | * meraki mx* | * asa[0-9]* | * pix *"),
    *_says(Kind.FIREWALL, _SURE, "*zywall* | * usg[1-9]* | *smoothwall* | *ipfire* | *untangle* | *barracuda*"),
    *_says(Kind.FIREWALL, 12, "*pfsense* | *opnsense*"),  # they say FreeBSD as well
    *_says(Kind.FIREWALL, _SERIES, "* sa-[2-7][05]00* | *ssl vpn*"),
    *_says(Kind.FIREWALL, _SERIES, "*sophos* | *check point* | *checkpoint* | *intrusion* | * utm*"),
)
_OFFICE: tuple[Rule, ...] = (
    # --- Printers ------------------------------------------------------------------------------------------------------
    *_says(Kind.PRINTER, _SURE, "*laserjet* | *officejet* | *deskjet* | *pagewide* | *jetdirect* | *print server*"),
    *_says(Kind.PRINTER, _SURE, "*printserver* | * printer* | *laser printer* | *network printer* | *label printer*"),
    *_says(Kind.PRINTER, _SERIES, "*multifunction* | * mfp* | * typ printer * | * typ mfp * | * typ aio * | *copier*"),
    *_says(Kind.PRINTER, _SERIES, "*bizhub* | *ecosys* | *taskalfa* | *aficio* | *imagerunner* | * ir-adv* | * ipr *"),
    *_says(Kind.PRINTER, _SERIES, "*workcentre* | *phaser* | *versalink* | *altalink* | *colorqube* | *docuprint*"),
    *_says(Kind.PRINTER, _SERIES, "*imageclass* | *pixma* | * lbp* | * mf[2-9][0-9][0-9]* | *e-studio* | *workforce*"),
    *_says(Kind.PRINTER, _SERIES, "* hl-* | * mfc-* | * dcp-* | * nc-[0-9]* | * et-[1-9]* | * aculaser* | *infoprint*"),
    *_says(Kind.PRINTER, _SERIES, "*document centre* | *apeosport* | *docucolor* | *marknet* | *okilan* | * all-n-1*"),
    *_says(Kind.PRINTER, _SERIES, "*ethernet multi-environment* | *zebra technologies* | * zt[c0-9]* | *zebranet*"),
    *_says(Kind.PRINTER, _SERIES, "*color laser* | *mono laser* | * wf-[1-9]* | * xp-[1-9]* | *surecolor* | *designjet*"),
    *_says(Kind.PRINTER, _SERIES, "*photosmart* | * hp envy* | *smart tank* | *ink tank* | * mp c[1-9]* | * sp c[1-9]*"),
    *_says(Kind.PRINTER, _SERIES, "* sharp mx-* | * sharp ar-* | *samsung cl[px]* | *samsung ml-* | *samsung scx*"),
    *_says(Kind.PRINTER, _SERIES, "*samsung sl-*"),
    *_says(Kind.PRINTER, _SERIES, "*document server* | * pocketpro* | *printing system* | dell [0-9]*[cd]n[ w]*"),
    *_says(Kind.PRINTER, _WORD, "*lexmark* | *xerox* | * brother * | *konica* | *kyocera* | *ricoh* | * nrg * | *savin*"),
    *_says(Kind.PRINTER, _WORD, "*lanier* | *gestetner* | * oki * | * oce * | *toshiba e-* | *minolta* | * scanner*"),
    *_says(Kind.PRINTER, _BRAND, "*epson* | * canon *"),
    # --- Power ---------------------------------------------------------------------------------------------------------
    *_says(Kind.UPS, _SURE, "* ups * | *smart-ups* | *back-ups* | *symmetra* | *uninterruptible* | *connectups*"),
    *_says(Kind.UPS, _SERIES, "ups[1-9]* | *powerware* | *powernet* | * liebert* | * 9px* | * 5px* | *netman* | evolution *"),
    *_says(Kind.UPS, _SERIES, "*pulsar*"),
    *_says(Kind.UPS, _HINT, "*snmp management card* | *network management card* | apc"),
    *_says(Kind.IOT, _SURE, "*rpdu* | *dominion px* | * pdu* | *power distribution* | *transfer switch*"),
    *_says(Kind.IOT, _SURE, "*environmental monitoring*"),
    # --- Telephones ----------------------------------------------------------------------------------------------------
    *_says(Kind.PHONE, _SURE, "*ip phone* | *ip telephone* | *ip telephon* | *wireless phone* | *deskphone* | *ipphone*"),
    *_says(Kind.PHONE, _SERIES, "* sip-t[0-9]* | *vvx* | *soundpoint* | *soundstation* | *yealink* | *snom* | * cp-[0-9]*"),
    *_says(Kind.PHONE, _SERIES, "* spa[1-9][0-9]* | * gxp* | * gxv* | digium* | ccp.avaya.com* | avaya e[0-9]* | *shoretel*"),
    *_says(Kind.PHONE, _SERIES, "*gigaset* | *fanvil* | *openstage* | * htek*"),
    *_says(Kind.PHONE, _WORD, "*polycom* | poly-* | *mitel* | *aastra* | * voip* | * sip phone*"),
    *_says(Kind.PHONE, _SERIES, "iphone* | * iphone * | d[0-9]*ap | n[0-9]*ap | * galaxy s[0-9]* | * pixel [3-9]*"),
    *_says(Kind.PHONE, _BRAND, "huawei android*"),
    # --- Cameras -------------------------------------------------------------------------------------------------------
    *_says(Kind.CAMERA, _SURE, "*network camera* | *ip camera* | *ipcam* | *dome camera* | *video encoder* | * uvc*"),
    *_says(Kind.CAMERA, _WORD, "*hikvision* | *dahua* | *vivotek* | *mobotix* | *avigilon* | * camera *"),
    *_says(Kind.CAMERA, _SERIES, "* ds-2[cd]* | *flexidome* | *dinion* | * snc-* | * wv-[snx]* | *reolink* | *foscam*"),
    *_says(Kind.SERVER, _SURE, "*video recorder* | * nvr* | * wj-[hn]* | * ds-[79][0-9]*"),
    # --- Displays ------------------------------------------------------------------------------------------------------
    *_says(Kind.DISPLAY, _SURE, "appletv* | j305ap | j105aap | j42dap | j33iap | j33ap | k66ap | *chromecast*"),
    *_says(Kind.DISPLAY, _SURE, "*projector* | *smart board* | *epson eb-* | *bravia* | *brightsign* | *clickshare*"),
    *_says(Kind.DISPLAY, _SERIES, "* roku* | *viewboard* | *activpanel* | *smart tv* | *webos* | *tizen* | aft[a-z]*"),
    *_says(Kind.DISPLAY, _SERIES, "*viewsonic* | *promethean* | *newline* | *clevertouch* | *airtame* | *solstice*"),
    *_says(Kind.DISPLAY, _SERIES, "*fire tv*"),
    *_says(Kind.DISPLAY, _SERIES, "lg_[1-9]* | *google tv* | *android tv* | * interactive display* | *samsung upnp sdk*"),
    # --- Things --------------------------------------------------------------------------------------------------------
    *_says(Kind.IOT, _SURE, "audioaccessory* | b[0-9]*ap | *google home* | *google nest* | *nest mini* | *chromecast audio*"),
    *_says(Kind.IOT, _SURE, "* kvm * | *audio module* | *network speaker* | *thermostat*"),
    *_says(Kind.IOT, _SERIES, "bsb00[12] | *ipbridge* | *sonos* | * ecobee* | *sensor* | *temperature* | *humidity*"),
    *_says(Kind.IOT, _SERIES, "*gallagher* | *access control* | * plc * | *simatic* | *bacnet*"),
)
_COMPUTERS: tuple[Rule, ...] = (
    # --- Computers and handhelds -----------------------------------------------------------------------------------------
    *_says(Kind.COMPUTER, _SERIES, "macbook* | * macbook* | * imac* | macmini* | * mac mini* | macpro* | mac1[0-9] *"),
    *_says(Kind.COMPUTER, _SERIES, "ipad* | * ipad * | j[0-9]*ap | p10[0-9]ap | *chromebook* | *galaxy tab* | aaplbsdpc*"),
    *_says(Kind.COMPUTER, _SERIES, "*latitude* | *optiplex* | *vostro* | *inspiron* | *thinkpad* | *thinkcentre*"),
    *_says(Kind.COMPUTER, _SERIES, "*ideapad* | *probook* | *elitebook* | *prodesk* | *elitedesk* | *surface*"),
    *_says(Kind.COMPUTER, _SERIES, "*travelmate* | *veriton* | *thin client* | wyse* | pcoip endpoint* | *darwin *"),
    *_says(Kind.COMPUTER, _BRAND, "*microsoft-windows*"),
    *_says(Kind.COMPUTER, _HINT, "* software windows *"),
    # --- Servers and storage ---------------------------------------------------------------------------------------------
    *_says(Kind.SERVER, _SURE, "*vmware esx* | *esxi* | *-pve * | *windows server* | *truenas* | *freenas* | *proxmox*"),
    *_says(Kind.SERVER, _SURE, "*netapp* | *data ontap* | *onefs* | *synology* | *diskstation* | *qnap* | *idrac*"),
    *_says(Kind.SERVER, _SERIES, "cpqrib* | * ilo * | *onboard administrator* | *serveriron* | *storageworks* | * flare *"),
    *_says(Kind.SERVER, _SERIES, "* wlse * | * ucos * | * vcx * | * cs 1000* | * vg2[0-9]* | *storedge* | *poweredge*"),
    *_says(Kind.SERVER, _SERIES, "*proliant* | xserve* | rackmac* | * wxc-*"),
    *_says(Kind.SERVER, _SERIES, "*readynas* | *terastation* | *linkstation* | *powervault* | *equallogic* | *clariion*"),
    *_says(Kind.SERVER, _SERIES, "*lights-out* | *remote access controller* | *ipmi* | * ilom* | * linux sunsp* | *hyper-v*"),
    *_says(Kind.SERVER, _SURE, "*storage router* | *powerpc chrp*"),
    *_says(Kind.SERVER, _WORD, "*sunos* | *solaris* | *hp-ux* | * aix * | *netware* | *freebsd* | * server * | sun snmp*"),
    *_says(Kind.SERVER, _WORD, "*windows version 5.2 * | * ds[1-9][0-9][0-9]*+* | *hardware management* | *load balanc*"),
    *_says(Kind.SERVER, _HINT, "* linux *x86_64* | * linux *i686* | * linux *-smp* | *xeon* | * linux *.el[5-9]*"),
    *_says(Kind.SERVER, -4, "* linux *armv* | * linux *mips* | linux none * | *embsys*"),
    # A general-purpose Linux that says it bridges or routes does so for its guests.
    *_says(Kind.SERVER, 5, "*debian gnu linux* | *red hat* | *centos* | *rocky linux* | *suse linux*"),
    *_says(Kind.SERVER, 2, "*ubuntu*"),
    *_says(Kind.COMPUTER, 1, "*ubuntu*"),
)
SAYS: tuple[Rule, ...] = (*_NETWORK, *_OFFICE, *_COMPUTERS)
