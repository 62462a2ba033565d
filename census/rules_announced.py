"""Rows of evidence: what devices announce by DHCP, mDNS and SSDP, what lists and access points hold, names, and cards.

Service types are IANA's; option 60 and the order of option 55 are as systems have been seen to send them. Versions drift, and
private addresses thin them on purpose (RFC 7844), so orders and names stay hints.
"""

from census.evidence import Rule, rows
from netready.device import Kind

_WINDOWS = (
    "1 3 6 15 31 33 43 44 46 47 119 121 249 252",
    "1 15 3 6 44 46 47 31 33 121 249 43*",
    "1 3 6 15 31 33 43 44 46 47 121*",
)
_APPLE = ("1 121 3 6 15 *119 252*", "1 3 6 15 119 252*", "1 121 3 6 15 119 252*", "1 121 3 6 15 114 119 252*")


def _types(kind: Kind, weight: int, names: str) -> tuple[Rule, ...]:
    return rows(kind, weight, "mdns", "types", *(f"_{name}._{way}" for name in names.split(" | ") for way in ("tcp", "udp")))


def _named(kind: Kind, patterns: str) -> tuple[Rule, ...]:
    return rows(kind, 2, "any", "name", *patterns.split(" | "))


def _makers(kind: Kind, patterns: str) -> tuple[Rule, ...]:
    """Makers of one sort of thing: by the network card a hint, by the device's own word more."""
    starts = patterns.split(" | ")
    return (*rows(kind, 1, "any", "vendor", *starts), *rows(kind, 3, "any", "maker", *starts))


ANNOUNCED: tuple[Rule, ...] = (
    # --- DHCP: vendor class, where the product's own words do not say it --------------------------------------------------
    *rows(Kind.COMPUTER, 4, "dhcp", "vendor_class", "msft 5.0*", means="Windows"),
    *rows(Kind.COMPUTER, 6, "dhcp", "vendor_class", "chromeos*"),
    *rows(Kind.COMPUTER, 3, "dhcp", "vendor_class", "pxeclient*", "dhcpcd-* linux-* x86_64*"),
    *rows(Kind.COMPUTER, 1, "dhcp", "vendor_class", "dhcpcd*"),
    *rows(Kind.PHONE, 1, "dhcp", "vendor_class", "android-dhcp-*", means="a telephone, a tablet or a screen"),
    *rows(Kind.COMPUTER, 1, "dhcp", "vendor_class", "android-dhcp-*", means="a telephone, a tablet or a screen"),
    *rows(Kind.PHONE, 4, "dhcp", "vendor_class", "avaya*"),
    *rows(Kind.IOT, 1, "dhcp", "vendor_class", "udhcp*"),
    *rows(Kind.COMPUTER, 2, "dhcp", "parameters", *_WINDOWS, means="the order Windows asks in"),
    *rows(Kind.COMPUTER, 1, "dhcp", "parameters", *_APPLE, means="the order Apple's systems ask in"),
    *rows(Kind.PHONE, 1, "dhcp", "parameters", *_APPLE, means="the order Apple's systems ask in"),
    # --- mDNS --------------------------------------------------------------------------------------------------------------
    *_types(Kind.PRINTER, 4, "ipp | ipps | pdl-datastream | printer | uscan | uscans | scanner"),
    *_types(Kind.DISPLAY, 5, "androidtvremote | androidtvremote2 | viziocast | amzn-wplay | appletv-v2"),
    *_types(Kind.DISPLAY, 4, "googlecast | mediaremotetv | touch-able | airplay-bds"),
    *_types(Kind.DISPLAY, 2, "airplay | raop"),  # Macs and loudspeakers announce them too
    *_types(Kind.COMPUTER, 3, "workstation"),
    *_types(Kind.COMPUTER, 1, "companion-link | rdlink | ssh | sftp-ssh | rfb | apple-mobdev2 | eppc | net-assistant"),
    *_types(Kind.SERVER, 5, "qmobile | qdiscover | plexmediasvr"),
    *_types(Kind.SERVER, 3, "nfs | adisk | nut"),
    *_types(Kind.SERVER, 1, "smb | afpovertcp"),
    *_types(Kind.CAMERA, 6, "axis-video"),
    *_types(Kind.CAMERA, 4, "rtsp | onvif | psia"),
    *_types(Kind.IOT, 6, "hue | esphomelib | sonos | ecobee | shelly | octoprint | wled | soundtouch | homekit"),
    *_types(Kind.IOT, 4, "hap | matter | matterc | meshcop | amzn-alexa | miio | spotify-connect | nanoleafapi"),
    *_types(Kind.ACCESS_POINT, 4, "airport"),
    *_types(Kind.PHONE, 4, "sip | sips"),
    # --- SSDP --------------------------------------------------------------------------------------------------------------
    *rows(Kind.ROUTER, 4, "ssdp", "kinds", "* device internetgatewaydevice *"),
    *rows(Kind.ROUTER, 6, "ssdp", "kinds", "* device fritzbox *"),
    *rows(Kind.PRINTER, 5, "ssdp", "kinds", "* device printer *"),
    *rows(Kind.DISPLAY, 5, "ssdp", "kinds", "roku ecp", "* remotecontrolreceiver *"),
    *rows(Kind.DISPLAY, 3, "ssdp", "kinds", "* device mediarenderer *", "* dial-multiscreen-org service dial *"),
    *rows(Kind.SERVER, 2, "ssdp", "kinds", "* device mediaserver *"),
    *rows(Kind.CAMERA, 5, "ssdp", "kinds", "*networkcamera*", "*digitalsecuritycamera*"),
    *rows(Kind.IOT, 7, "ssdp", "kinds", "* device zoneplayer *"),
    # --- Asset lists, and what an access point makes of its client --------------------------------------------------------
    *rows(Kind.COMPUTER, 6, "google", "seen", "yes", means="a list of ChromeOS devices"),
    *rows(Kind.COMPUTER, 3, "intune", "seen", "yes", means="a list of managed devices"),
    *rows(Kind.COMPUTER, 3, "jamf", "seen", "yes", means="a list of managed devices"),
    *rows(Kind.COMPUTER, 5, "any", "os", "chrome*", "windows*", "win [0-9]*", "macos*", "mac os*", "os x*", "ipados*", "ipad*"),
    *rows(Kind.SERVER, 7, "any", "os", "windows server*"),
    *rows(Kind.PHONE, 5, "any", "os", "iphone*"),
    *rows(Kind.PHONE, 3, "any", "os", "ios*"),
    *rows(Kind.PHONE, 2, "any", "os", "android*"),
    *rows(Kind.DISPLAY, 6, "any", "os", "tvos*"),
    *rows(Kind.COMPUTER, 2, "any", "os", "linux*"),
    # --- An address that was made up: telephones, tablets and portable computers do so ------------------------------------
    *rows(Kind.COMPUTER, 1, "any", "random", "yes", means="as portable devices do"),
    *rows(Kind.PHONE, 1, "any", "random", "yes", means="as portable devices do"),
    # --- Names: some are made at the factory, others anybody may choose ----------------------------------------------------
    *_named(Kind.PRINTER, "*printer* | npi[0-9a-f]* | br[nw][0-9a-f]* | *laserjet* | *officejet* | km[0-9a-f]*"),
    *_named(Kind.PRINTER, "rnp[0-9a-f]*"),
    *_named(Kind.PRINTER, "xrx[0-9a-f]* | et00[0-9a-f]* | kmbt* | epson[0-9a-f]* | canon[0-9a-f]* | zbr[0-9]* | *-mfp*"),
    *_named(Kind.PRINTER, "mfp-*"),
    *_named(Kind.ACCESS_POINT, "ap-* | *-ap | *-ap-* | ap[0-9]* | *-ap[0-9]* | uap-* | ruckusap*"),
    *_named(Kind.SWITCH, "sw-* | *-sw | *-sw-* | sw[0-9]* | *-sw[0-9]* | *switch*"),
    *_named(Kind.CAMERA, "axis-* | *camera* | cam[0-9]* | cam-* | *ipcam* | vivotek-*"),
    *_named(Kind.PHONE, "*iphone* | android-* | *galaxy-s* | *galaxy-a[0-9]* | *redmi* | *pixel-[3-9]* | huawei_*"),
    *_named(Kind.PHONE, "oneplus*"),
    *_named(Kind.PHONE, "moto-* | *xiaomi* | *oppo-* | *nokia-* | *poco-*"),
    *_named(Kind.PHONE, "sep[0-9a-f]* | sip-t[0-9]* | gxp[0-9]* | avx[0-9a-f]* | polycom*"),
    *_named(Kind.COMPUTER, "*macbook* | *chromebook* | desktop-* | *laptop* | *imac* | *ipad* | *galaxy-tab* | *-pc"),
    *_named(Kind.COMPUTER, "*-pc[0-9]*"),
    *_named(Kind.COMPUTER, "pc-* | pc[0-9]* | lt-* | *-lt[0-9]* | *thinkpad* | surface-* | *-mbp* | *kindle*"),
    *_named(Kind.SERVER, "*server* | *-srv | srv-* | *-nas | nas-* | nas[0-9]* | ilo[a-z0-9]* | idrac* | esx*"),
    *_named(Kind.UPS, "ups | ups-* | *-ups | apc[0-9a-f]*"),
    *_named(Kind.DISPLAY, "*apple-tv* | *appletv* | *chromecast* | *projector* | *smart-board* | *viewboard* | *activpanel*"),
    *_named(Kind.DISPLAY, "roku* | *bravia* | lgwebostv* | brightsign* | *clickshare*"),
    *_named(Kind.IOT, "esp_[0-9a-f]* | esp-[0-9a-f]* | *thermostat* | nest-* | amazon-* | shelly* | hs1[01]0* | sonos*"),
    *_named(Kind.IOT, "*-clock*"),
    # --- Makers --------------------------------------------------------------------------------------------------------------
    *_makers(Kind.ACCESS_POINT, "ruckus* | ubiquiti* | aerohive* | mist systems* | cambium*"),
    *_makers(Kind.PRINTER, "brother * | lexmark* | ricoh* | seiko epson* | epson* | kyocera* | canon * | xerox* | konica*"),
    *_makers(Kind.PRINTER, "zebra* | oki * | sharp"),
    *_makers(Kind.CAMERA, "axis comm* | *hikvision* | *dahua* | hanwha* | vivotek* | mobotix* | avigilon* | verkada*"),
    *_makers(Kind.PHONE, "polycom* | yealink* | grandstream* | snom* | mitel* | aastra*"),
    *_makers(Kind.UPS, "american power* | apc* | eaton* | cyber power*"),
    *_makers(Kind.DISPLAY, "roku* | viewsonic* | promethean* | smart technologies* | vizio* | brightsign* | barco* | nec*"),
    *_makers(Kind.IOT, "espressif* | sonos* | nest labs* | ecobee* | philips lighting* | signify* | tuya* | bose* | shelly*"),
    *_makers(Kind.SERVER, "synology* | qnap* | vmware* | super micro*"),
    *_makers(Kind.FIREWALL, "sonicwall* | watchguard* | palo alto*"),
    *rows(Kind.DISPLAY, 1, "any", "vendor", "seiko epson*"),  # projectors, and printers
    *rows(Kind.IOT, 1, "any", "vendor", "tp-link*", "amazon*"),
    *_makers(Kind.COMPUTER, "raspberry pi* | wyse* | liteon* | azurewave* | intel corp* | compal* | lcfc* | wistron*"),
)
